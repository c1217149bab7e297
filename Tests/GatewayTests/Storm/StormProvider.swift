import Domain
import Foundation
import TestKit

/// A provider that follows the weather: speaks OpenAI's format or Anthropic's, whole or in events.
struct StormProvider: Sendable {
    /// Ends a connection at once.
    struct Gone: Error {}

    let number: Int
    let isAnthropic: Bool
    let weather: @Sendable () -> (StormWeather, Duration)

    static func secret(of tenant: Int, at provider: Int) -> String {
        "sk-storm-\(tenant)-\(provider)-5e1f8c0b7d29a364"
    }

    /// Tells the tenant and the question, so that a caller can see whose answer he has.
    static func text(_ tenant: Int, _ nonce: String) -> String { "for tenant \(tenant): \(nonce)" }

    func answer(_ link: Socket, _ request: RawUpstream.Request) throws {
        let credential = request.header("authorization") ?? request.header("x-api-key") ?? ""
        let tenant = Int(credential.split(separator: "-").dropFirst(2).first ?? "") ?? 0
        let model = StormPlace.models.firstIndex { request.body.contains("\"\($0)\"") } ?? 0
        let place = StormPlace(provider: number, model: model, tenant: tenant)
        let isStream = request.body.contains(#""stream":true"#)
        let text = Self.text(tenant, Self.nonce(in: request.body))
        let (weather, now) = weather()
        var random = SplitMix(seed: .random(in: .min ... .max))
        switch weather.behaviour(at: place, at: now, &random) {
        case .answers(let first, let whole):
            wait(first)
            guard isStream else {
                wait(whole - first)
                return try link.send(Wire.counted(body(text)))
            }
            try link.send(Wire.streamHead + Wire.chunk(begin(text)))
            for _ in 0..<3 {
                wait((whole - first) / 3)
                try link.send(Wire.chunk(delta(" and more")))
            }
            try link.send(Wire.chunk(end) + Wire.streamEnd)
        case .refusesConnection:
            link.reset()
            throw Gone()
        case .connectHangs, .silent: try standStill(link)
        case .fails(let failure, let status, let wait, let delay):
            self.wait(delay)
            try link.send(self.failure(failure, status, wait))
        case .cuts(let delay, let content):
            wait(delay)
            try link.send(isStream ? Wire.streamHead : Self.half)
            if content, isStream { try link.send(Wire.chunk(begin(text))) }
            throw Gone()
        case .stalls(let first):
            wait(first)
            try link.send(isStream ? Wire.streamHead + Wire.chunk(begin(text)) : Self.half)
            try standStill(link)
        }
    }

    /// The pace of a provider: this is no waiting for anything.
    private func wait(_ time: Duration) { usleep(UInt32(max(0, time.wholeMilliseconds)) * 1_000) }

    /// Says nothing more until the gateway has had enough.
    private func standStill(_ link: Socket) throws {
        _ = link.sawEnd()
        throw Gone()
    }

    static func nonce(in body: String) -> String {
        guard let start = body.range(of: "nonce-") else { return "" }
        return "nonce-" + body[start.upperBound...].prefix { $0.isNumber }
    }

    // MARK: Words

    /// The beginning of a whole answer that promises more.
    private static let half =
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"id\":\"c1\","

    private func body(_ text: String) -> String {
        isAnthropic
            ? #"{"id":"m1","type":"message","role":"assistant","model":"claude","content":[{"type":"text","text":"\#(text)"}],"stop_reason":"end_turn","usage":{"input_tokens":11,"output_tokens":6}}"#
            : #"{"id":"c1","object":"chat.completion","model":"gpt","choices":[{"index":0,"message":{"role":"assistant","content":"\#(text)"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":12,"total_tokens":21}}"#
    }

    private func begin(_ text: String) -> String {
        isAnthropic ? Wire.messageStart + Wire.blockStart + Wire.textDelta(text) : Wire.delta(text)
    }

    private func delta(_ text: String) -> String {
        isAnthropic ? Wire.textDelta(text) : Wire.delta(text)
    }

    private var end: String {
        isAnthropic
            ? Wire.event("content_block_stop", #"{"type":"content_block_stop","index":0}"#)
                + Wire.messageDelta + Wire.messageStop
            : Wire.lastDelta + Wire.usageChunk + Wire.done
    }

    private func failure(_ failure: FailureClass, _ status: Int, _ wait: Duration?) -> String {
        let type =
            switch failure {
            case .overloaded: "overloaded_error"
            case .keyRateLimit: "rate_limit_error"
            case .keyQuota: "billing_error"
            case .badKey: "authentication_error"
            case .notPermitted: "permission_error"
            default: "api_error"
            }
        let error = #"{"type":"\#(type)","message":"it storms","param":null,"code":null}"#
        let headers = wait.map { "retry-after-ms: \($0.wholeMilliseconds)\r\n" } ?? ""
        return Wire.counted(
            isAnthropic ? #"{"type":"error","error":\#(error)}"# : #"{"error":\#(error)}"#,
            status: "\(status) Storm", headers: headers)
    }
}
