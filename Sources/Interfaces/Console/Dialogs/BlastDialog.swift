import Operations

/// A form that shows what its change would do, before it is made.
protocol BlastDialog: FormDialog {
    var change: BlastChange { get }
    /// What is known without the engine.
    var known: [Form.Fact] { get }
}

extension BlastDialog {
    var question: EngineQuery? { .blastRadius(change) }

    mutating func answered(_ result: Result<EngineAnswer, CommandRefusal>) {
        form.facts = known + BlastFacts.facts(result)
    }
}
