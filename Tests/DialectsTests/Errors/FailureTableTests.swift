import Dialects
import Domain
import Testing

/// The failure table, row by row and provider by provider: what each says, in the words of its documentation, and what
/// the gateway does about it.
@Suite struct FailureTableTests {
    typealias Provider = FailureFixture.Provider

    private static func classify(_ fixture: FailureFixture) -> FailureClass {
        lend(fixture.body) { UpstreamError.read($0) }.labelled(fixture.header)
            .classify(status: fixture.status, kind: fixture.provider.kind)
    }

    @Test(arguments: FailureFixture.answers)
    func `each provider's answer falls into its row`(fixture: FailureFixture) {
        #expect(Self.classify(fixture) == fixture.failure)
    }

    @Test(arguments: StreamFailureFixture.all)
    func `each provider's error inside a stream falls into the row of its status`(
        fixture: StreamFailureFixture
    ) throws {
        for fault in try fixture.faults() {
            let failure = fault.classify(status: fault.impliedStatus, kind: fixture.provider.kind)
            #expect(failure == fixture.failure, "\(fault)")
        }
    }

    /// What no provider's answer shows: these are seen on the wire itself, and the gateway's tests have them.
    private static let elsewhere: Set<FailureClass> = [
        .transport, .brokeBeforeContent, .brokeAfterContent, .cancelled,
    ]

    /// Which providers have no answer of a row: a server of one's own knows no account, DeepSeek and Ollama give no key
    /// less than another, vLLM queues without bound, and Gemini and Bedrock answer 200 to what they will not say.
    private static let silent: [FailureClass: Set<Provider>] = [
        .overloaded: [.vllm],
        .keyRateLimit: [.ollama, .vllm],
        // Gemini says 429 for both, see the table.
        .keyQuota: [.gemini, .ollama, .vllm],
        .badKey: [.ollama],
        .notPermitted: [.deepseek, .ollama, .vllm],
        .contentPolicy: [.gemini, .bedrock, .mistral, .groq, .together, .ollama, .vllm],
        .unknownRefusal: Set(Provider.allCases).subtracting([.openai, .anthropic, .groq, .vllm]),
    ]

    @Test func `every row that an answer can show has a fixture of every provider that can show it`() {
        let shown = Set(FailureFixture.answers.map(\.failure))
        #expect(Set(FailureClass.allCases) == shown.union(Self.elsewhere))
        for failure in shown {
            let providers = Set(FailureFixture.answers.filter { $0.failure == failure }.map(\.provider))
            let expected = Set(Provider.allCases).subtracting(Self.silent[failure] ?? [])
            #expect(providers == expected, "\(failure.rawValue)")
        }
        #expect(Set(StreamFailureFixture.all.map(\.provider)) == Set(Provider.allCases))
    }

    /// The columns of the table, written out a second time: a change of a row has to be meant.
    @Test func `each row says who tries again, who is marked and who is told`() {
        #expect(
            FailureClass.allCases.map(Self.row) == [
                "transport: again 2, -, fail over, breaker, -, on-call",
                "timeout: again 1, -, fail over, breaker, -, on-call",
                "provider_fault: again 1, -, fail over, breaker, -, on-call",
                "overloaded: again 1, -, fail over, breaker, -, on-call",
                "key_rate_limit: again 1, other key, fail over, -, cooling, tenant",
                "key_quota: -, other key, fail over, -, exhausted, key owner",
                "bad_key: -, other key, fail over, -, suspect, key owner",
                "not_permitted: -, other key, fail over, -, denied_for_model, key owner",
                "caller_fault: -, -, -, -, -, caller",
                "context_window: -, -, -, -, -, caller",
                "content_policy: -, -, -, -, -, caller",
                "broke_before_content: again 1, -, fail over, breaker, -, on-call",
                "broke_after_content: -, -, -, breaker, -, caller",
                "cancelled: -, -, -, -, -, nobody",
                "unknown_refusal: -, -, -, -, -, on-call",
            ])
    }

    private static func row(_ failure: FailureClass) -> String {
        let rule = failure.rule
        let words = [
            rule.retriesSameKey > 0 ? "again \(rule.retriesSameKey)" : "-",
            rule.triesOtherKey ? "other key" : "-", rule.failsOver ? "fail over" : "-",
            rule.countsForBreaker ? "breaker" : "-", rule.credentialMark?.rawValue ?? "-",
            rule.told.rawValue,
        ]
        return failure.rawValue + ": " + words.joined(separator: ", ")
    }

    @Test func `the table, as it comes out of the fixtures`() throws {
        var lines = ["row: same key, other key, other target, breaker, mark, told"]
        for failure in FailureClass.allCases {
            lines.append(Self.row(failure))
            for provider in Provider.allCases {
                let answers = FailureFixture.answers.filter {
                    $0.provider == provider && Self.classify($0) == failure
                }
                let streams = try StreamFailureFixture.all.filter { fixture in
                    guard fixture.provider == provider else { return false }
                    return try fixture.faults().allSatisfy {
                        $0.classify(status: $0.impliedStatus, kind: provider.kind) == failure
                    }
                }
                let signs = answers.map { "\($0.status)" } + streams.map { "in stream: \($0.name)" }
                if !signs.isEmpty {
                    lines.append("    \(provider.rawValue): \(signs.joined(separator: ", "))")
                }
            }
        }
        print(lines.joined(separator: "\n"))
        #expect(lines.count > 100)
    }
}
