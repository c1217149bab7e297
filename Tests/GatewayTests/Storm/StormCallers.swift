import Domain
import Foundation
import Locking
import TestKit

/// One finished call, as its caller saw it.
struct StormOutcome: Sendable {
    enum End: Sendable, Equatable {
        case answered
        /// A stream with an error frame behind its first content.
        case cut
        case failed(status: Int, code: String)
        /// The caller hung up.
        case left
        /// Answered or not, long after its time was over.
        case late(of: Duration)
        /// Something no caller should see.
        case broken(String)
    }

    let tenant: Int
    let model: String
    let began: Instant
    let ended: Instant
    let end: End
    /// The call's id, where an answer named it.
    let id: String
    /// Targets that were well when it began.
    let shelters: [StormPlace]
    let isHurried: Bool
}

/// Applications that call one after another, each on a thread of its own.
final class StormCallers: Sendable {
    private struct State {
        var running = 0
        var outcomes: [StormOutcome] = []
    }

    private let house: StormGateway
    private let state = Locked(State())
    private let goesOn = Locked(true)
    private let numbers = Locked(0)
    private let seed: UInt64
    static let lookBack = Duration.seconds(6)
    /// What a slow machine may add to a bound.
    static let tolerance = Duration.seconds(2)

    init(_ house: StormGateway, seed: UInt64) {
        self.house = house
        self.seed = seed
    }

    var running: Int { state.withLock { $0.running } }

    func take() -> [StormOutcome] {
        state.withLock { state in
            defer { state.outcomes = [] }
            return state.outcomes
        }
    }

    func start(_ each: Int) {
        for tenant in 0..<StormPlace.tenants {
            for place in 0..<each {
                state.withLock { $0.running += 1 }
                let random = SplitMix(seed: seed ^ UInt64(tenant * 1_000 + place))
                Thread.detachNewThread { [self] in
                    work(tenant, random)
                    state.withLock { $0.running -= 1 }
                }
            }
        }
    }

    func stop() { goesOn.withLock { $0 = false } }

    private func work(_ tenant: Int, _ seeded: SplitMix) {
        var random = seeded
        var connection: RawCaller?
        while goesOn.withLock({ $0 }) {
            usleep(UInt32(random.pick(50...350)) * 1_000)
            let model = StormGateway.models[Int(random.next() % UInt64(StormGateway.models.count))]
            let isStream = random.next() % 2 == 0
            let timeout: Int64? = random.next() % 8 == 0 ? random.pick(1_000...4_000) : nil
            let leaves: Int64? = random.next() % 16 == 0 ? random.pick(0...600) : nil
            let nonce = "nonce-\(numbers.withLock { number in number += 1; return number })"
            let shelters = house.shelters(of: model, for: tenant, lookBack: Self.lookBack)
            let began = house.clock.now
            var answer: RawCaller.Answer?
            var fault = ""
            do {
                let caller = try connection ?? RawCaller(port: house.port)
                connection = caller
                try caller.send(post(tenant, model, nonce, isStream, timeout))
                if let leaves {
                    usleep(UInt32(leaves) * 1_000)
                    caller.leave()
                    connection = nil
                } else {
                    answer = try caller.answer()
                }
            } catch {
                fault = "\(error)"
                connection = nil
            }
            let end =
                leaves != nil && fault.isEmpty
                ? .left : judge(answer, fault, isStream, StormProvider.text(tenant, nonce))
            // Behind an error frame the gateway closes, though the head could not say so.
            if end == .cut || answer?.header("connection") == "close" { connection = nil }
            let outcome = StormOutcome(
                tenant: tenant, model: model, began: began, ended: house.clock.now, end: end,
                id: answer?.header("x-request-id") ?? "", shelters: shelters, isHurried: timeout != nil)
            let bound = min(StormGateway.total, timeout.map { .milliseconds($0) } ?? StormGateway.total)
            let isLate = leaves == nil && outcome.ended - began > bound + Self.tolerance
            state.withLock { state in
                state.outcomes.append(isLate ? outcome.with(.late(of: bound)) : outcome)
            }
        }
    }

    private func post(
        _ tenant: Int, _ model: String, _ nonce: String, _ isStream: Bool, _ timeout: Int64?
    ) -> String {
        let body =
            #"{"model":"\#(model)","max_tokens":50,"messages":[{"role":"user","content":"\#(nonce) please"}]"#
            + (isStream ? #","stream":true}"# : "}")
        let limit = timeout.map { "x-gatehouse-timeout: \($0)ms\r\n" } ?? ""
        return "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer "
            + "\(house.tokens[tenant])\r\n\(limit)content-length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private func judge(
        _ answer: RawCaller.Answer?, _ fault: String, _ isStream: Bool, _ text: String
    ) -> StormOutcome.End {
        guard let answer else { return .broken(fault) }
        guard answer.isWhole else { return .broken("half an answer: \(answer.head) \(answer.body)") }
        let code = Self.code(in: answer.body)
        guard answer.status == 200 else {
            return code.map { .failed(status: answer.status, code: $0) } ?? .broken(answer.body)
        }
        guard answer.body.contains(text) else { return .broken("another's answer: \(answer.body)") }
        guard isStream else { return .answered }
        if answer.body.contains("data: [DONE]") { return .answered }
        return code == "upstream_cut" ? .cut : .broken("a stream without an end: \(answer.body)")
    }

    private static func code(in body: String) -> String? {
        guard let start = body.range(of: #""code":""#) else { return nil }
        return String(body[start.upperBound...].prefix { $0 != "\"" })
    }
}

extension StormOutcome {
    fileprivate func with(_ end: End) -> Self {
        Self(
            tenant: tenant, model: model, began: began, ended: ended, end: end, id: id,
            shelters: shelters, isHurried: isHurried)
    }
}
