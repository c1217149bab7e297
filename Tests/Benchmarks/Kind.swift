import ArgumentParser
import NIOCore

/// The kinds of call that are measured.
enum Kind: String, CaseIterable, ExpressibleByArgument {
    case jsonPaced, json, jsonCached, stream, translated, translatedStream

    static let openAIModel = "gpt-6-sol"
    static let anthropicModel = "claude-opus-5"

    var title: String {
        switch self {
        case .jsonPaced: "1 KB JSON, steady rate"
        case .json: "1 KB JSON, as fast as it goes"
        case .jsonCached: "the same, cache on, all misses"
        case .stream: "stream of \(LoopbackProvider.chunks) chunks"
        case .translated: "1 KB JSON, OpenAI to Anthropic"
        case .translatedStream: "stream, OpenAI to Anthropic"
        }
    }

    /// The project's promise, times nginx; nil where nginx can do no such thing.
    var aim: Double? {
        switch self {
        case .jsonPaced, .json, .jsonCached: 2.0
        case .stream: 2.5
        case .translated, .translatedStream: nil
        }
    }

    var isStream: Bool { self == .stream || self == .translatedStream }

    /// Whether LiteLLM is asked too: some milliseconds a call, and neither rates nor caches to compare.
    var suitsLiteLLM: Bool { self != .jsonPaced && self != .jsonCached }

    /// A request that is whole but for the number in its text.
    func parts(_ token: String) -> Prepared {
        let words = String(repeating: "lorem ipsum dolor sit amet ", count: 32)
        let stream = isStream ? #""stream":true,"stream_options":{"include_usage":true},"# : ""
        let model = aim == nil ? Self.anthropicModel : Self.openAIModel
        let start =
            #"{"model":"\#(model)",\#(stream)"temperature":0,"messages":[{"role":"user","content":""#
        let end = #" \#(words)"}]}"#
        let length = start.utf8.count + Prepared.digits + end.utf8.count
        let head =
            "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer \(token)\r\n"
            + "content-type: application/json\r\naccept: */*\r\n"
            + (self == .jsonCached ? "" : "x-gatehouse-cache: off\r\n") + "content-length: \(length)\r\n\r\n"
        return Prepared(
            bytes: ByteBuffer(string: head + start + "000000000" + end), place: (head + start).utf8.count)
    }
}

/// A request with room for a number, so that every body is its own.
struct Prepared {
    static let digits = 9
    let bytes: ByteBuffer
    let place: Int

    func numbered(_ number: Int) -> ByteBuffer {
        var request = bytes
        var rest = number
        for digit in (0..<Self.digits).reversed() {
            request.setInteger(UInt8(48 + rest % 10), at: place + digit)
            rest /= 10
        }
        return request
    }
}
