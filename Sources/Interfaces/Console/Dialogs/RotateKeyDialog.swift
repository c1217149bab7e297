import Domain
import Operations

/// Replaces a provider key in four steps: choose, paste, verify, switch, at first with a share of the calls; the old one
/// drains and can be put back.
struct RotateKeyDialog: FormDialog {
    static let drains: [(words: String, seconds: Int)] = [("10m", 600), ("1h", 3_600), ("24h", 86_400)]

    static let canaries: [(words: String, order: CanaryOrder?)] = [
        ("5% 2m", .usual), ("20% 10m", CanaryOrder(percent: 20, seconds: 600)), ("none", nil),
    ]

    private let key: ProviderKeyView
    private let secret = SecretField()
    private var unverified: KeyQuestion?
    private var canary = 0
    private var drain = 0
    var form: Form

    var title: String {
        "Rotate key: \(key.provider)/\(key.label)   step \(step) of 4: \(Self.steps[step - 1])"
    }

    private static let steps = ["choose", "paste the successor", "verify", "switch"]

    private var step: Int { unverified != nil ? 4 : (form.isWaiting ? 3 : 2) }

    init(_ key: ProviderKeyView, _ model: ConsoleModel) {
        self.key = key
        form = Form(
            facts: [],
            fields: [
                Form.Field("Canary", .choice(ChoiceField(Self.canaries.map(\.words)))),
                Form.Field("Old key drains", .choice(ChoiceField(Self.drains.map(\.words)))),
                Form.Field("New key", .secret(secret)),
            ], action: "Verify and switch")
        form.focus = .field(2)
        form.facts = facts
    }

    private var facts: [Form.Fact] {
        func mark(_ number: Int, _ what: String) -> String {
            "\(number) [\(number < step ? "done" : (number == step ? "now " : "    "))] \(what)"
        }
        let rate = Figure.rate(key.requestsPerSecond)
        let typed = Figure.count(secret.draft.count, "byte")
        return [
            Form.Fact(mark(1, "choose"), "\(key.label) of \(key.tenant), \(key.fingerprint), \(rate) rq/s"),
            Form.Fact(mark(2, "new secret"), "\(typed); never shown, echoed as *"),
            Form.Fact(mark(3, "verify"), "one free call to \(key.provider) with the new key"),
            Form.Fact(mark(4, "switch"), switchWords),
            Form.Fact("", ""),
            Form.Fact("", "Nothing is written before step 4. Until the drain ends, u undoes it.", .textDim),
        ]
    }

    private var switchWords: String {
        let trial = Self.canaries[form.choice(0)]
        return (trial.order == nil ? "100% at once" : "canary \(trial.words), 100%")
            + "; old one drains \(Self.drains[form.choice(1)].words), revoked"
    }

    var missing: String? { unverified != nil ? form.missingWord : (secret.isEmpty ? "paste the key" : nil) }

    mutating func handle(_ input: Input, _ model: ConsoleModel) -> DialogStep {
        let answer = form.handle(input, missing: missing)
        defer { if unverified == nil { form.facts = facts } }
        switch answer {
        case .stay: return .stay
        case .cancel: return .close
        case .act:
            let step = act()
            if unverified == nil {
                canary = form.choice(0)
                drain = form.choice(1)
            }
            form.isWaiting = true
            form.note = unverified == nil ? "verifying the new key with \(key.provider) ..." : "switching ..."
            return step
        }
    }

    func act() -> DialogStep {
        let isFirst = unverified == nil
        let command = EngineCommand.keyRotate(
            key: key.id, canary: Self.canaries[isFirst ? form.choice(0) : canary].order,
            drainSeconds: Self.drains[isFirst ? form.choice(1) : drain].seconds, acceptUnverified: !isFirst)
        return .perform(command, secret: secret.copy(), words: "rotating \(key.provider)/\(key.label)")
    }

    mutating func refused(_ refusal: CommandRefusal, _ model: ConsoleModel) -> DialogStep {
        if refusal.code == .keyUnverified, unverified == nil {
            let question = KeyQuestion(refusal, action: "Switch anyway")
            unverified = question
            form = question.form
            return .stay
        }
        if unverified == nil { form.facts = facts }
        let why = refusal.code == .keyRefused ? "The provider refused the new key. " : ""
        form.note = "\(why)Nothing was changed: \(refusal.message)"
        return .stay
    }

    mutating func succeeded(_ outcome: CommandOutcome, _ model: ConsoleModel) -> DialogStep {
        .replace(MessageDialog(outcome.receipt, title: "Rotated: \(key.provider)/\(key.label)"))
    }

    func wipe() { secret.draft.wipe() }
}
