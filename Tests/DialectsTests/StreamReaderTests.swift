import Dialects
import Domain
import Foundation
import Testing

@Suite struct StreamReaderTests {
    /// A reader with everything it sent on.
    private struct Reading {
        var reader: StreamReader
        var sent: [UInt8] = []
        var pieces = 0

        init(_ dialect: Dialect, dropsUsage: Bool = false) {
            reader = StreamReader(dialect: dialect, dropsUsage: dropsUsage)
        }

        mutating func feed(_ chunk: [UInt8]) throws {
            var sent = sent
            var pieces = pieces
            try lend(chunk) { (lent) throws(StreamFault) in
                try reader.read(lent) { piece in
                    pieces += 1
                    switch piece {
                    case .held(let bytes): sent += Array(bytes)
                    case .part(let range): sent += Array(lent[range])
                    }
                }
            }
            self.sent = sent
            self.pieces = pieces
        }

        mutating func finish() {
            var sent = sent
            reader.finish { piece in
                if case .held(let bytes) = piece { sent += Array(bytes) }
            }
            self.sent = sent
        }
    }

    /// Streams in the shape of the providers' own documentation.
    private func fixture(_ name: String) throws -> [UInt8] {
        let folder = try #require(Bundle.module.url(forResource: "Fixtures", withExtension: nil))
        return Array(try Data(contentsOf: folder.appending(path: "Streams/\(name).sse")))
    }

    private let openAIUsage = Usage(input: 86, cacheRead: 1_920, output: 172, reasoning: 128)
    private let anthropicUsage = Usage(
        input: 25, cacheRead: 1_000, cacheWrite: 100, cacheWriteHour: 200, output: 15)

    @Test func `an OpenAI stream goes on as it came, in one piece`() throws {
        let stream = try fixture("openai-chat")
        var reading = Reading(.openAIChat)
        try reading.feed(stream)
        reading.finish()
        #expect(reading.sent == stream)
        #expect(reading.pieces == 1)
        #expect(reading.reader.answer.usage == openAIUsage)
        #expect(
            reading.reader.answer.usageIsFinal && reading.reader.answer.ended
                && reading.reader.answer.sawContent)
        #expect(reading.reader.answer.fault == nil)
        #expect(reading.reader.answer.settledUsage(inputEstimate: 1) == (openAIUsage, .reported))
    }

    @Test func `the usage chunk is dropped where the caller did not ask for it`() throws {
        let stream = try fixture("openai-chat")
        var reading = Reading(.openAIChat, dropsUsage: true)
        try reading.feed(stream)
        #expect(reading.reader.answer.usage == openAIUsage)
        let blocks = text(stream).components(separatedBy: "\n\n")
        #expect(
            text(reading.sent) == blocks.filter { !$0.contains("\"choices\":[]") }.joined(separator: "\n\n"))
    }

    @Test func `a chunk without choices that has no usage stays`() throws {
        // Azure OpenAI begins with one that holds the prompt's filter results.
        let stream = Array("data: {\"choices\":[],\"prompt_filter_results\":[]}\n\n".utf8)
        var reading = Reading(.openAIChat, dropsUsage: true)
        try reading.feed(stream)
        #expect(reading.sent == stream)
        #expect(!reading.reader.answer.sawContent)
    }

    @Test func `usage beside choices is read and stays`() throws {
        // Mistral and Groq put it into the last content chunk.
        let stream =
            Array(
                #"data: {"choices":[{"index":0,"delta":{"content":""},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"#
                    .utf8)
            + Array(#""total_tokens":7,"completion_tokens":4}}"#.utf8) + Array("\n\n".utf8)
        var reading = Reading(.openAIChat, dropsUsage: true)
        try reading.feed(stream)
        #expect(reading.sent == stream)
        #expect(reading.reader.answer.usage == Usage(input: 3, output: 4))
    }

    @Test func `an Anthropic stream's usage is the last of each figure`() throws {
        let stream = try fixture("anthropic-messages")
        var reading = Reading(.anthropicMessages)
        try reading.feed(stream)
        reading.finish()
        #expect(reading.sent == stream)
        #expect(reading.reader.answer.usage == anthropicUsage)
        #expect(
            reading.reader.answer.usageIsFinal && reading.reader.answer.ended
                && reading.reader.answer.sawContent)
        #expect(reading.reader.answer.deltas == 2)
        #expect(reading.reader.answer.contentBytes == 6)
    }

    @Test(arguments: [("openai-chat", Dialect.openAIChat), ("anthropic-messages", .anthropicMessages)])
    func `random splits change nothing`(name: String, dialect: Dialect) throws {
        let stream = try fixture(name)
        var whole = Reading(dialect, dropsUsage: true)
        try whole.feed(stream)
        let seed: UInt64 = 1_797
        var generator = SplitMix(seed: seed)
        for round in 0..<200 {
            var parts = Reading(dialect, dropsUsage: true)
            var rest = stream[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...300, using: &generator)
                try parts.feed(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            parts.finish()
            #expect(parts.sent == whole.sent, "seed \(seed) round \(round)")
            #expect(parts.reader.answer.usage == whole.reader.answer.usage, "seed \(seed) round \(round)")
            #expect(
                parts.reader.answer.ended && parts.reader.answer.sawContent, "seed \(seed) round \(round)")
            #expect(parts.reader.answer.deltas == whole.reader.answer.deltas, "seed \(seed) round \(round)")
            #expect(
                parts.reader.answer.contentBytes == whole.reader.answer.contentBytes,
                "seed \(seed) round \(round)")
        }
    }

    @Test func `an explicit zero is zero`() throws {
        var reading = Reading(.openAIChat)
        try reading.feed(
            Array(
                #"data: {"choices":[],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}"#
                    .utf8)
                + Array("\n\n".utf8))
        #expect(reading.reader.answer.settledUsage(inputEstimate: 500) == (Usage(), .reported))
    }

    @Test func `an error before content is known as such and nothing of it goes on`() throws {
        let role = #"data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}"# + "\n\n"
        let error =
            #"data: {"error":{"message":"Rate limit","type":"requests","code":"rate_limit_exceeded"}}"#
            + "\n\n"
        var reading = Reading(.openAIChat)
        try reading.feed(Array((role + error + "data: [DONE]\n\n").utf8))
        #expect(text(reading.sent) == role)
        #expect(!reading.reader.answer.sawContent && !reading.reader.answer.ended)
        let fault = try #require(reading.reader.answer.fault)
        #expect(fault.code == "rate_limit_exceeded")
        #expect(fault.classify(status: fault.impliedStatus, kind: .openai) == .keyRateLimit)
    }

    @Test func `an Anthropic error event after content is known as such`() throws {
        let stream = text(try fixture("anthropic-messages")).components(
            separatedBy: "event: content_block_stop")[0]
        let error =
            "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"
        var reading = Reading(.anthropicMessages)
        try reading.feed(Array((stream + error).utf8))
        #expect(text(reading.sent) == stream)
        #expect(reading.reader.answer.sawContent && !reading.reader.answer.ended)
        let fault = try #require(reading.reader.answer.fault)
        #expect(fault.classify(status: fault.impliedStatus, kind: .anthropic) == .overloaded)
    }

    @Test func `a null error is no error`() throws {
        var reading = Reading(.openAIChat)
        try reading.feed(
            Array("data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}],\"error\":null}\n\n".utf8))
        #expect(reading.reader.answer.fault == nil && reading.reader.answer.sawContent)
    }

    @Test func `a cut stream is billed by what came`() throws {
        let events = text(try fixture("anthropic-messages")).components(separatedBy: "\n\n")
        var reading = Reading(.anthropicMessages)
        try reading.feed(Array(events[..<4].map { $0 + "\n\n" }.joined().utf8))
        reading.finish()
        #expect(!reading.reader.answer.ended && !reading.reader.answer.usageIsFinal)
        let (usage, source) = reading.reader.answer.settledUsage(inputEstimate: 9_999)
        #expect(source == .estimated)
        #expect(usage.input == 25 && usage.cacheRead == 1_000)
        // "Hello" is five bytes: two tokens by the four-bytes rule.
        #expect(usage.output == 2)

        var openAI = Reading(.openAIChat)
        try openAI.feed(
            Array(
                text(try fixture("openai-chat")).components(separatedBy: "data: {")[1...2]
                    .map { "data: {" + $0 }.joined().utf8))
        #expect(
            openAI.reader.answer.settledUsage(inputEstimate: 40) == (Usage(input: 40, output: 2), .estimated))
    }

    @Test func `content is estimated without reading each chunk`() throws {
        var reading = Reading(.openAIChat)
        for word in ["Hello", "wonderful", "a", String(repeating: "x", count: 400)] {
            let chunk = #"data: {"id":"c","choices":[{"index":0,"delta":{"content":"\#(word)"}}]}"# + "\n\n"
            try reading.feed(Array(chunk.utf8))
        }
        #expect(reading.reader.answer.deltas == 4)
        #expect(reading.reader.answer.contentBytes == 415)
        #expect(reading.reader.answer.estimatedOutput == 104)
    }

    @Test func `tool calls, refusals and an early finish are content, a role is not`() throws {
        func sawContent(_ choice: String) throws -> Bool {
            var reading = Reading(.openAIChat)
            try reading.feed(Array("data: {\"choices\":[\(choice)]}\n\n".utf8))
            return reading.reader.answer.sawContent
        }
        #expect(try sawContent(#"{"delta":{"tool_calls":[{"index":0,"id":"c","function":{"name":"f"}}]}}"#))
        #expect(try sawContent(#"{"delta":{"content":null,"refusal":"no"}}"#))
        #expect(try sawContent(#"{"delta":{"content":"","reasoning_content":"hm"}}"#))
        #expect(try sawContent(#"{"delta":{},"finish_reason":"stop"}"#))
        #expect(
            try !sawContent(
                #"{"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}"#))
    }
}
