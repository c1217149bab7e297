import Domain
import Operations

/// Issues a successor of a virtual key; both work during an overlap.
struct RotateTokenDialog: FormDialog {
    private static let overlaps: [(words: String, seconds: Int)] = [
        ("1h", 3_600), ("24h", 86_400), ("7d", 604_800),
    ]
    private let key: VirtualKeyView
    var form: Form

    var title: String { "Rotate virtual key: \(key.name)" }

    init(_ key: VirtualKeyView) {
        self.key = key
        form = Form(
            facts: [
                Form.Fact("", "Makes a successor with the same limits and shows it once."),
                Form.Fact("tenant", "\(key.tenant)   \(key.fingerprint)"),
            ],
            fields: [
                Form.Field("Both work for", .choice(ChoiceField(Self.overlaps.map(\.words), chosen: 1)))
            ],
            action: "Rotate")
        form.focus = .cancel
    }

    func act() -> DialogStep {
        .perform(
            .tokenRotate(key: key.id, overlapSeconds: Self.overlaps[form.choice(0)].seconds), secret: nil,
            words: "rotating \(key.name)")
    }
}
