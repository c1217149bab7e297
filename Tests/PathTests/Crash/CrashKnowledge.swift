import Domain
import Operations

/// What was acknowledged, and so has to be there whenever an engine starts.
struct CrashKnowledge {
    /// Labels of acme's provider keys at openai, and the fingerprint of each one's active key; nil = one of two, since
    /// nobody was told whether it was rotated.
    private var keys: [String: String?] = ["main": nil]
    /// Virtual keys that work, by id.
    private var tokens: Set<String> = []
    private var revokedTokens: Set<String> = []
    /// Whether there is a second slot; nil = nobody was told.
    private(set) var hasSecondSlot: Bool? = false
    private var calls: Set<String> = []
    private var callsSent = 0
    /// Changes by their name in the audit: how many were begun, and how many acknowledged.
    private var begun: [String: Int] = [:]
    private var acknowledged: [String: Int] = [:]
    private(set) var finished: [CrashChange.Kind: Int] = [:]

    var callCount: Int { calls.count }

    // MARK: Learning

    /// From here on it may be done, also where nobody is told.
    mutating func expect(_ change: CrashChange) {
        begun[change.kind.action, default: 0] += 1
        switch change.kind {
        case .root, .slotAdd, .slotRemove: hasSecondSlot = nil
        case .keyRotate: if keys[change.subject] != nil { keys[change.subject] = .some(nil) }
        case .keyRevoke: keys[change.subject] = nil
        case .tokenRevoke: tokens.remove(change.subject)
        case .allKeys, .oneTenantsKeys, .keyAdd, .tokenIssue, .tokenRotate: break
        }
    }

    mutating func take(_ change: CrashChange, _ receipt: CommandReceipt) {
        acknowledged[change.kind.action, default: 0] += 1
        finished[change.kind, default: 0] += 1
        switch change.kind {
        case .root, .slotRemove: hasSecondSlot = false
        case .slotAdd: hasSecondSlot = true
        case .keyAdd, .keyRotate:
            let word = change.kind == .keyAdd ? "fingerprint " : "new "
            keys[change.subject] = Self.fact(word, receipt)?.prefix { $0 != ":" }.description
        case .tokenIssue, .tokenRotate: if let id = Self.fact("id ", receipt) { tokens.insert(id) }
        case .tokenRevoke: revokedTokens.insert(change.subject)
        case .allKeys, .oneTenantsKeys, .keyRevoke: break
        }
    }

    mutating func take(_ answered: (ids: [String], sent: Int)) -> [String] {
        let before = calls.count
        calls.formUnion(answered.ids)
        callsSent += answered.sent
        return calls.count == before + answered.ids.count ? [] : ["two calls were answered under one id"]
    }

    private static func fact(_ word: String, _ receipt: CommandReceipt) -> String? {
        receipt.details.first { $0.hasPrefix(word) }.map { String($0.dropFirst(word.count)) }
    }

    // MARK: Comparing

    /// Sentences on what is not as it was acknowledged; empty when all is well.
    mutating func compare(_ picture: EngineSnapshot) -> [String] {
        var wrong: [String] = []
        let active = picture.providerKeys.filter {
            $0.tenant.text == "acme" && $0.provider.text == "openai" && $0.state == .active
        }
        let found = Dictionary(grouping: active, by: { $0.label.text })
        for (label, fingerprint) in keys {
            let prints = found[label, default: []].map(\.fingerprint)
            if prints.count != 1 || (fingerprint != nil && prints.first != fingerprint) {
                wrong.append("key \(label): \(prints) is active, not \(fingerprint ?? "one")")
            }
            keys[label] = prints.first
        }
        let usable = Set(picture.virtualKeys.lazy.filter { $0.revoked == nil }.map(\.id.text))
        let known = Set(picture.virtualKeys.map(\.id.text))
        let missing = tokens.subtracting(usable)
        if !missing.isEmpty { wrong.append("virtual keys are missing: \(missing)") }
        let back = revokedTokens.subtracting(known).union(revokedTokens.intersection(usable))
        if !back.isEmpty { wrong.append("virtual keys that were revoked are not: \(back)") }
        let slots = picture.vault.slotList.count
        if let hasSecondSlot, slots != (hasSecondSlot ? 2 : 1) { wrong.append("there are \(slots) slots") }
        hasSecondSlot = slots == 2
        if picture.vault.damagedKeys > 0 { wrong.append("\(picture.vault.damagedKeys) keys are damaged") }
        wrong += picture.vault.distrusted
        return wrong
    }

    /// - Parameter ledger: the calls of all rows.
    func compare(_ ledger: [String]) -> [String] {
        let rows = Set(ledger)
        var wrong: [String] = []
        let missing = calls.subtracting(rows)
        if !missing.isEmpty { wrong.append("\(missing.count) calls are not in the ledger: \(missing)") }
        if rows.count != ledger.count { wrong.append("a call stands twice in the ledger") }
        // One that was cut off by the kill may be metered under an id that nobody saw.
        if ledger.count > callsSent {
            wrong.append("\(ledger.count) rows in the ledger, of \(callsSent) calls")
        }
        return wrong
    }

    /// - Parameters:
    ///   - audit: how often an action of ours stands in the audit, and
    ///   - all: the same, whoever did it.
    func compare(_ audit: [String: Int], all: [String: Int], _ picture: EngineSnapshot) -> [String] {
        var wrong: [String] = []
        for action in Set(begun.keys).union(audit.keys) {
            let range = acknowledged[action, default: 0]...begun[action, default: 0]
            let count = audit[action, default: 0]
            if !range.contains(count) {
                wrong.append("\(action) stands \(count) times in the audit, not \(range)")
            }
        }
        // A row and its record are one transaction, and a record is chained once.
        for (rows, actions) in [
            (picture.providerKeys.count, ["key.add", "key.rotate"]),
            (picture.virtualKeys.count, ["token.issue", "token.rotate"]),
        ] {
            let records = actions.reduce(0) { $0 + all[$1, default: 0] }
            if rows != records { wrong.append("\(rows) rows, \(records) records of \(actions)") }
        }
        return wrong
    }
}
