/// Which account of the machine has which role, as the configuration says it.
///
/// While it names nobody, the account that the engine runs as, and root, are admins, as the data folder is theirs anyway.
public struct OperatorRoster: Sendable, Hashable {
    /// By account. Names are ASCII, so that no two texts of different bytes are the same key.
    private let roles: [String: OperatorRole]

    public init(_ roles: [String: OperatorRole] = [:]) { self.roles = roles }

    public var isEmpty: Bool { roles.isEmpty }

    /// What somebody may do now; nil = nothing, not even look.
    public func role(of who: OperatorID) -> OperatorRole? {
        guard let full = fullRole(of: who) else { return nil }
        return min(full, who.ceiling ?? .admin)
    }

    /// The same before the operator lowered it.
    public func fullRole(of who: OperatorID) -> OperatorRole? {
        guard !isEmpty else { return who.isForeign ? nil : .admin }
        guard who.account.utf8.allSatisfy({ $0 < 0x80 }) else { return nil }
        return roles[who.account]
    }

    /// Accounts, in the order of their names.
    public var entries: [(account: String, role: OperatorRole)] {
        roles.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }

    public var admins: [String] { entries.filter { $0.role == .admin }.map(\.account) }

    /// What another roster changes, a line for each account.
    public func changes(to next: OperatorRoster) -> [Change] {
        var out: [Change] = []
        if isEmpty != next.isEmpty {
            let (before, after) = ("admin while nobody is named", "as named")
            out.append(
                Change(
                    account: "the engine's account", before: isEmpty ? before : after,
                    after: isEmpty ? after : before))
        }
        for account in Set(roles.keys).union(next.roles.keys).sorted()
        where roles[account] != next.roles[account] {
            out.append(
                Change(
                    account: account, before: roles[account]?.rawValue ?? "no role",
                    after: next.roles[account]?.rawValue ?? "no role"))
        }
        return out
    }

    /// One account's role as it was and as it is to be.
    public struct Change: Sendable, Hashable {
        public let account: String
        public let before: String
        public let after: String
    }

    /// `jo viewer, mira admin`; a line of an audit record, so the first twenty only.
    public var words: String {
        guard !isEmpty else { return "roles: nobody is named" }
        let shown = entries.prefix(20).map { "\($0.account) \($0.role.rawValue)" }
        let more = entries.count > 20 ? " and \(entries.count - 20) more" : ""
        return "roles: " + shown.joined(separator: ", ") + more
    }

    /// Why somebody may not do something, in one sentence; nil when he may.
    public func denial(of operation: EngineOperation, to who: OperatorID) -> Denial? {
        guard let full = fullRole(of: who) else {
            let account = who.account.isEmpty ? who.name : who.account
            return Denial(
                reason: "no role",
                sentence: "denied: \(account) has no role in this gateway; whoever may write its "
                    + "gatehouse.toml can give one, with [[operator]]")
        }
        let role = min(full, who.ceiling ?? .admin)
        let needed = operation.role
        guard role < needed else { return nil }
        guard full < needed else {
            return Denial(
                reason: "needs role \(needed.rawValue), lowered to \(role.rawValue)",
                sentence:
                    "denied: \(operation.rawValue) needs role \(needed.rawValue), and \(who.name) works as "
                    + "\(role.rawValue) in this session; begin one without --role and GATEHOUSE_ROLE")
        }
        return Denial(
            reason: "needs role \(needed.rawValue), has \(role.rawValue)",
            sentence: "denied: \(operation.rawValue) needs role \(needed.rawValue), and \(who.name) has "
                + "\(role.rawValue); an admin (\(admins.prefix(5).joined(separator: ", "))) can give it, with "
                + "[[operator]] in gatehouse.toml")
    }

    /// A refusal for want of a role.
    public struct Denial: Sendable, Hashable {
        /// For the audit.
        public let reason: String
        /// For whoever asked: what, which role, who can give it.
        public let sentence: String
    }
}
