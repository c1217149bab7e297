public import Domain

/// What becomes of a provider key on trial: what its provider says of it and the time go in, the next step comes out.
public enum KeyTrial {
    /// What to do about it now.
    public enum Step: Sendable, Hashable {
        case goOn
        /// Nothing was heard of it since the start: its provider is asked once more before all calls depend on it.
        case ask
        /// It takes every call, and its predecessor drains.
        case switchOver
        /// The predecessor keeps the calls.
        case withdraw(CredentialMark)
    }

    /// How long a suspicion that nobody can clear may hold up the end: as long as a refused key rests.
    private static let suspicionMost = Duration.seconds(600)

    /// - Parameters:
    ///   - marks: of the key on trial.
    ///   - predecessorMarks: what both have in common is no fault of the new one.
    ///   - predecessorServes: whether the predecessor can keep the calls at all.
    ///   - refusals: how often its provider refused a call with it. A key may pass every free check and still be good
    ///     for no call, where its rights end at lists of models: two refusals without an answer are enough.
    ///   - wasAnswered: whether the provider has answered a call with the key since the start of this process.
    public static func step(
        _ canary: KeyCanary, marks: [CredentialStatus], predecessorMarks: [CredentialStatus],
        predecessorServes: Bool, refusals: Int, wasAnswered: Bool, at now: WallTime
    ) -> Step {
        guard predecessorServes else { return .switchOver }
        let worst: [CredentialMark] = [.rejected, .exhausted, .deniedForModel]
        for mark in worst where marks.contains(where: { $0.mark == mark && !$0.isAmong(predecessorMarks) }) {
            return .withdraw(mark)
        }
        if refusals >= 2, !wasAnswered { return .withdraw(.rejected) }
        guard now >= canary.ends else { return .goOn }
        if marks.contains(where: { $0.mark == .suspect }) {
            return now < canary.ends + suspicionMost ? .goOn : .withdraw(.suspect)
        }
        if wasAnswered { return .switchOver }
        return refusals == 0 ? .ask : .withdraw(.suspect)
    }
}

extension CredentialStatus {
    /// Whether another key has the same mark for the same model.
    fileprivate func isAmong(_ others: [CredentialStatus]) -> Bool {
        others.contains { $0.mark == mark && $0.model == model }
    }
}
