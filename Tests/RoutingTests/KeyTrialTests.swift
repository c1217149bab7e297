import Domain
import Routing
import Testing

@Suite struct KeyTrialTests {
    private let start = WallTime(milliseconds: 1_000_000)
    private let key = ProviderKeyID(high: 1, low: 1)
    private let other = ProviderKeyID(high: 1, low: 2)
    private var canary: KeyCanary { KeyCanary(percent: 5, ends: start + .seconds(120), drainSeconds: 600) }

    private func status(
        _ mark: CredentialMark, of key: ProviderKeyID, model: String? = nil
    ) -> CredentialStatus {
        CredentialStatus(
            key: key, model: model.flatMap { try? ModelName($0) }, mark: mark,
            until: Instant(nanoseconds: 0), markedAt: Instant(nanoseconds: 0))
    }

    private func step(
        after seconds: Int, marks: [CredentialStatus] = [], predecessor: [CredentialStatus] = [],
        serves: Bool = true, refusals: Int = 0, answered: Bool = true
    ) -> KeyTrial.Step {
        KeyTrial.step(
            canary, marks: marks, predecessorMarks: predecessor, predecessorServes: serves,
            refusals: refusals, wasAnswered: answered, at: start + .seconds(seconds))
    }

    @Test func `a key that its provider takes goes on until the end, and then has every call`() {
        #expect(step(after: 0) == .goOn)
        #expect(step(after: 119) == .goOn)
        #expect(step(after: 120) == .switchOver)
        #expect(step(after: 100_000) == .switchOver)
    }

    @Test(arguments: [CredentialMark.rejected, .exhausted, .deniedForModel])
    func `a key that its provider does not take is withdrawn at once`(mark: CredentialMark) {
        let marks = [status(mark, of: key, model: mark == .deniedForModel ? "m" : nil)]
        #expect(step(after: 0, marks: marks) == .withdraw(mark))
        #expect(step(after: 120, marks: marks) == .withdraw(mark))
    }

    @Test func `the worst of several marks is the reason`() {
        let marks = [status(.deniedForModel, of: key, model: "m"), status(.rejected, of: key)]
        #expect(step(after: 1, marks: marks) == .withdraw(.rejected))
    }

    @Test func `what the predecessor suffers too is no fault of the new key`() {
        let own = [status(.exhausted, of: key)]
        #expect(step(after: 1, marks: own, predecessor: [status(.exhausted, of: other)]) == .goOn)
        #expect(
            step(after: 1, marks: own, predecessor: [status(.rejected, of: other)]) == .withdraw(.exhausted))
        let denied = [status(.deniedForModel, of: key, model: "m")]
        let elsewhere = [status(.deniedForModel, of: other, model: "n")]
        #expect(step(after: 1, marks: denied, predecessor: elsewhere) == .withdraw(.deniedForModel))
    }

    @Test func `a rate limit ends no trial, and a suspicion holds it up for ten minutes at most`() {
        #expect(step(after: 120, marks: [status(.cooling, of: key, model: "m")]) == .switchOver)
        let suspect = [status(.suspect, of: key)]
        #expect(step(after: 60, marks: suspect) == .goOn)
        #expect(step(after: 120, marks: suspect) == .goOn)
        #expect(step(after: 719, marks: suspect) == .goOn)
        #expect(step(after: 720, marks: suspect) == .withdraw(.suspect))
    }

    @Test func `a key of which nothing was heard is asked about before every call depends on it`() {
        #expect(step(after: 60, answered: false) == .goOn)
        #expect(step(after: 120, answered: false) == .ask)
    }

    @Test func `a key that passes checks and no call is withdrawn at the second refusal, or at the end`() {
        #expect(step(after: 10, refusals: 1, answered: false) == .goOn)
        #expect(step(after: 10, refusals: 2, answered: false) == .withdraw(.rejected))
        #expect(step(after: 120, refusals: 1, answered: false) == .withdraw(.suspect))
        #expect(step(after: 120, refusals: 5, answered: true) == .switchOver)
    }

    @Test func `without a predecessor that could keep the calls there is nothing to go back to`() {
        #expect(step(after: 0, marks: [status(.rejected, of: key)], serves: false) == .switchOver)
    }
}
