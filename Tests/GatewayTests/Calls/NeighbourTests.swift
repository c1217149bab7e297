import Domain
import Engine
import Foundation
import Gateway
import Routing
import TestTraits
import Testing

/// A tenant that calls ten times as often as it may, whose provider key is refused and whose bodies trickle in: what
/// the others notice of it.
@Suite(.serialized, .ownThread) struct NeighbourTests {
    private static let uncached = "x-gatehouse-cache: off\r\n"
    private static let thirdKey = "sk-test-MARKED-a83e5f0c1d7b2946"
    private static let rounds = 15

    /// What became of one call.
    private struct Trace: Hashable {
        let status: Int
        let target: String?
        let attempts: String?
        let body: String
        let isWhole: Bool
    }

    /// What was seen in a house, with the noisy tenant or without it.
    private struct Outcome {
        var traces: [[Trace]] = []
        var atProvider: [String: Int] = [:]
        var marks: [CredentialMark] = []
        var noise = Noise.Heard()
    }

    @Test func `a tenant over its limit, with a bad key and slow bodies, costs others no call and no detour`()
        async throws
    {
        let quiet = try await live(beside: false)
        let loud = try await live(beside: true)
        #expect(loud.traces == quiet.traces)
        #expect(loud.traces.joined().allSatisfy { $0.status == 200 && $0.isWhole && $0.attempts == "1" })
        let others = [House.otherOpenAIKey, Self.thirdKey]
        for key in others { #expect(loud.atProvider[key] == quiet.atProvider[key]) }
        #expect(quiet.marks.isEmpty && loud.marks == [.suspect])

        let heard = loud.noise
        #expect(heard.odd.isEmpty)
        // Whoever was let in is told of the key, whoever has none that is good of that, and the rest of the limit.
        #expect(heard.statuses[424] == Noise.limit)
        #expect(heard.statuses[401, default: 0] > 0)
        #expect(heard.statuses[429, default: 0] >= Noise.limit * 9)
        #expect(Set(heard.statuses.keys) == [401, 424, 429])
        // Each of its callers may have been on its way there before the first refusal was known.
        #expect((1...Noise.callers).contains(loud.atProvider[House.openAIKey, default: 0]))
        #expect(loud.atProvider.keys.count == others.count + 1)
    }

    /// The same calls of two tenants in a house of their own.
    private func live(beside isLoud: Bool) async throws -> Outcome {
        var plan = HousePlan()
        plan.limits = LimitSet(requestsPerMinute: Noise.limit)
        // As much noise as can be: what is refused again and again would wait.
        plan.gateway.refusalPause = .zero
        plan.openAI = { link, request in
            guard request.header("authorization") != "Bearer \(House.openAIKey)" else {
                return try link.send(
                    Wire.failure("401 Unauthorized", type: "invalid_request_error", code: "invalid_api_key"))
            }
            guard request.body.contains(#""stream":true"#) else { return try link.send(Wire.chatAnswer) }
            let events = Wire.delta("hi") + Wire.lastDelta + Wire.usageChunk + Wire.done
            try link.send(Wire.streamHead + Wire.chunk(events) + Wire.streamEnd)
        }
        var outcome = Outcome()
        try await withHouse(plan) { house in
            let third = try await house.populate("gamma", LimitSet(), openAIKeys: [Self.thirdKey])
            let noise = Noise(house)
            if isLoud { try noise.begin() }
            outcome.traces = try [house.otherToken, third].map { try calls(in: house, token: $0) }
            if isLoud { outcome.noise = try noise.end() }
            let parts = house.engine.parts
            outcome.marks = parts.credentials.states(at: house.clock.now).map(\.mark)
            for request in house.openAI.requests {
                let key = request.header("authorization")?.dropFirst("Bearer ".count) ?? ""
                outcome.atProvider[String(key), default: 0] += 1
            }
            for provider in ["openai", "second"] {
                let target = try Target("\(provider)/gpt-6-sol")
                let breaker = parts.breakers.status(of: target, at: house.clock.now)
                #expect(breaker.position == .closed && breaker.window.failures == 0, "\(target)")
            }
        }
        return outcome
    }

    private func calls(in house: House, token: String) throws -> [Trace] {
        let bodies = [
            Wire.chat(), Wire.chat("pair"), Wire.chat("pair", stream: true),
            Wire.chat("solo", more: #","user":"\#(String(repeating: "u", count: 20_000))""#),
        ]
        return try (0..<Self.rounds * bodies.count).map { number in
            let answer = try house.call(
                bodies[number % bodies.count], token: token, headers: Self.uncached)
            return Trace(
                status: answer.status, target: answer.header("x-gatehouse-target"),
                attempts: answer.header("x-gatehouse-attempts"), body: answer.body, isWhole: answer.isWhole)
        }
    }
}

/// The noisy tenant: callers that never rest, and connections whose bodies come a byte at a time.
private final class Noise: Sendable {
    struct Heard: Sendable {
        var statuses: [Int: Int] = [:]
        /// What no refusal should look like.
        var odd: [String] = []
    }

    /// Calls a minute.
    static let limit = 30
    static let callers = 3
    private static let slowConnections = 60
    /// By the provider's refusal, and as long as the key is marked because of that.
    private static let tellsOfTheKey = [
        "rejects this tenant's provider key", "provider key refused once by the provider",
    ]

    private struct Progress: Sendable {
        var heard = Heard()
        var rounds = 0
        var isOver = false
        var running = 0
    }

    private let port: Int
    private let good: String
    private let unknown: String
    /// Half of them so large that the gateway looks at the key before it takes any of it.
    private let slow: [String]
    private let progress = Watched(Progress())

    init(_ house: House) {
        let uncached = "x-gatehouse-cache: off\r\n"
        port = house.port
        good = house.post(Wire.chat("solo"), headers: uncached)
        unknown = house.post(Wire.chat("solo"), token: "gth_nobody", headers: uncached)
        slow = [20_000, 200_000].map { size in
            String(house.post(Wire.chat() + String(repeating: " ", count: size)).prefix(400))
        }
    }

    /// Returns once all of it is under way and the limit is used up.
    func begin() throws {
        progress.update { $0.running = Self.callers + 1 }
        for number in 0..<Self.callers { start { [self] in try call(number) } }
        start { [self] in try trickle() }
        try progress.wait(for: "the noise") {
            $0.rounds > 0 && $0.heard.statuses[429, default: 0] > 0 || !$0.heard.odd.isEmpty ? true : nil
        }
    }

    func end() throws -> Heard {
        progress.update { $0.isOver = true }
        return try progress.wait(for: "the noise to end") { $0.running == 0 ? $0.heard : nil }
    }

    private func start(_ work: @escaping @Sendable () throws -> Void) {
        Thread.detachNewThread { [progress] in
            do { try work() } catch { progress.update { $0.heard.odd.append("\(error)") } }
            progress.update { $0.running -= 1 }
        }
    }

    /// Ten times the limit, and more for as long as the others are not done.
    private func call(_ number: Int) throws {
        let caller = try RawCaller(port: port)
        var count = 0
        while count < Self.limit * 11 / Self.callers || !progress.read(\.isOver) {
            count += 1
            let isUnknown = count % 11 == 0
            try caller.send(isUnknown ? unknown : good)
            let answer = try caller.answer()
            let isClear =
                switch answer.status {
                case 401: isUnknown
                case 424: Self.tellsOfTheKey.contains { answer.body.contains($0) }
                case 429: answer.header("retry-after") != nil && answer.body.contains("requests per minute")
                default: false
                }
            progress.update {
                $0.heard.statuses[answer.status, default: 0] += 1
                if !isClear { $0.heard.odd.append(answer.head + answer.body) }
            }
        }
    }

    private func trickle() throws {
        let connections = try (0..<Self.slowConnections).map { _ in try RawCaller(port: port) }
        for (number, caller) in connections.enumerated() { try caller.send(slow[number % slow.count]) }
        while !progress.read(\.isOver) {
            for caller in connections { try caller.send(" ") }
            progress.update { $0.rounds += 1 }
            guard connections.allSatisfy({ $0.isSilent(for: 0) }) else {
                return progress.update { $0.heard.odd.append("a body that comes slowly was answered") }
            }
            usleep(2_000)
        }
    }
}
