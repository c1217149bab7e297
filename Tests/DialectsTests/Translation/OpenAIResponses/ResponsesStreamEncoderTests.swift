import Dialects
import Domain
import Testing

@Suite struct ResponsesStreamEncoderTests {
    /// The form that every stream of this format has, whole or not; a caller's SDK counts on it. Every text is added up
    /// from its deltas and compared with what the later events repeat.
    static func check(_ events: [String], _ note: Comment) throws {
        var items: [String: (index: Int64, isDone: Bool)] = [:]
        var output: [JSONNode?] = []
        var texts: [String: String] = [:]
        for (position, event) in try ResponsesFixture.data(events).enumerated() {
            #expect(event["sequence_number"]?.whole == Int64(position), note)
            let type = event["type"]?.text ?? ""
            let isLast = position == events.count - 1
            switch type {
            case "response.created": #expect(position == 0, note)
            case "response.in_progress": #expect(position == 1, note)
            case "response.output_item.added":
                #expect(event["output_index"]?.whole == Int64(output.count), note)
                items[event["item"]?["id"]?.text ?? ""] = (Int64(output.count), false)
                output.append(nil)
            case "response.output_item.done":
                let id = event["item"]?["id"]?.text ?? ""
                #expect(items[id]?.isDone == false && items[id]?.index == event["output_index"]?.whole, note)
                items[id]?.isDone = true
                output[Int(items[id]?.index ?? 0)] = event["item"]
            case "response.completed", "response.incomplete":
                #expect(isLast && items.values.allSatisfy(\.isDone), note)
                #expect(event["response"]?["output"]?.elements == output.compactMap(\.self), note)
            case "error": #expect(isLast, note)
            default:
                let item = items[event["item_id"]?.text ?? ""]
                #expect(item?.isDone == false && item?.index == event["output_index"]?.whole, note)
                let part = event["content_index"] ?? event["summary_index"]
                let key = "\(item?.index ?? -1) \(part?.whole ?? -1)"
                if let more = event["delta"]?.text {
                    texts[key, default: ""] += more
                } else if type.hasSuffix("_part.added") {
                    #expect(texts[key] == nil, note)
                    texts[key] = ""
                } else {
                    let holder = event["part"] ?? event
                    let whole = holder["text"] ?? holder["refusal"] ?? holder["arguments"]
                    #expect(whole?.text == texts[key], note)
                }
            }
        }
    }

    private func types(_ events: [String]) throws -> [String] {
        try ResponsesFixture.data(events).compactMap { $0["type"]?.text }
    }

    @Test func `a stream with everything in it has the API's events`() throws {
        let events = ResponsesFixture.written(ResponsesFixture.pieces)
        try Self.check(events, "whole")
        let expected = try ResponsesFixture.text("stream.sse")
        #expect(events == expected.split(separator: "\n\n").map(String.init))
    }

    @Test func `the stream ends with the response that a call without stream has`() throws {
        let events = ResponsesFixture.written(ResponsesFixture.pieces)
        let last = try #require(try ResponsesFixture.data(events).last)
        #expect(try last["response"] == ResponsesFixture.node("response.json"))
    }

    @Test func `the smallest stream has all steps of a message`() throws {
        let events = ResponsesFixture.written([
            .began(id: nil), .text("Hi"), .stopped(.finished, sequence: nil), .ended,
        ])
        #expect(
            try types(events) == [
                "response.created", "response.in_progress", "response.output_item.added",
                "response.content_part.added", "response.output_text.delta", "response.output_text.done",
                "response.content_part.done", "response.output_item.done", "response.completed",
            ])
        let data = try ResponsesFixture.data(events)
        #expect(data[0]["response"]?["status"]?.text == "in_progress")
        #expect(data[8]["response"]?["usage"] == nil)
        #expect(
            data[4].json
                == #"{"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_01J_0","output_index":0,"content_index":0,"delta":"Hi","logprobs":[]}"#
        )
    }

    @Test func `nothing is written before the first content, for a failure or behind it`() throws {
        #expect(
            ResponsesFixture.written([
                .began(id: nil), .usage(Usage(input: 3), isFinal: false),
                .failed(UpstreamError(message: "x")),
                .text("Hi"), .ended,
            ]).isEmpty)
        let events = ResponsesFixture.written([
            .began(id: nil), .text("Hi"), .failed(UpstreamError(message: "x")), .text("Ho"), .ended,
        ])
        #expect(try types(events).last == "response.output_text.delta")
    }

    @Test func `only the provider's end completes a response, and nothing comes behind it`() throws {
        let cut: [AnswerPiece] = [.began(id: nil), .text("Hi"), .stopped(.finished, sequence: nil)]
        #expect(try types(ResponsesFixture.written(cut)).last == "response.output_item.done")
        let twice = cut + [.text("lost"), .stopped(.length, sequence: nil), .ended, .text("lost"), .ended]
        let events = ResponsesFixture.written(twice)
        try Self.check(events, "twice")
        #expect(try types(events).last == "response.completed")
        #expect(
            try types(ResponsesFixture.written([.ended]))
                == ["response.created", "response.in_progress", "response.completed"])
    }

    @Test func `a stream that breaks tells the number of the frame behind it`() throws {
        var stream = Translator.stream(
            from: .openAIChat, to: .openAIResponses, in: ResponsesFixture.context)
        var out: [UInt8] = []
        let chunk = #"data: {"id":"c","choices":[{"index":0,"delta":{"content":"Hi"}}]}"# + "\n\n"
        try Array(chunk.utf8).withUnsafeBytes { bytes in
            try Result { () throws(StreamFault) in try stream.read(bytes, into: &out) }.get()
        }
        let events = String(decoding: out, as: UTF8.self).split(separator: "\n\n").count
        #expect(events > 0 && stream.nextEventNumber == Int64(events))
    }

    @Test func `what is open when an answer is cut short is incomplete`() throws {
        let events = ResponsesFixture.written([
            .began(id: nil), .text("Hi"), .callBegan(index: 0, id: "a", name: "f", signature: nil),
            .callArguments(index: 0, "{\"x"), .stopped(.length, sequence: nil), .ended,
        ])
        try Self.check(events, "cut short")
        let last = try #require(try ResponsesFixture.data(events).last)
        #expect(last["type"]?.text == "response.incomplete")
        #expect(last["response"]?["incomplete_details"]?["reason"]?.text == "max_output_tokens")
        let statuses = last["response"]?["output"]?.elements?.map { $0["status"]?.text }
        #expect(statuses == ["completed", "incomplete"])
        let refused = ResponsesFixture.written([
            .began(id: nil), .refusal("No."), .stopped(.refusal, sequence: nil), .ended,
        ])
        #expect(try types(refused).last == "response.completed")
        let silent = ResponsesFixture.written([.began(id: nil), .stopped(.refusal, sequence: nil), .ended])
        #expect(try types(silent).last == "response.incomplete")
    }

    @Test func `calls that come in turns stay open beside each other`() throws {
        let events = ResponsesFixture.written([
            .began(id: nil), .callBegan(index: 0, id: "a", name: "f", signature: nil),
            .callBegan(index: 1, id: "b", name: "g", signature: nil), .callArguments(index: 1, "{\"x\""),
            .callArguments(index: 0, "{"), .text("More"), .callArguments(index: 1, ":1}"),
            .callArguments(index: 0, "}"), .callEnded(index: 0), .callArguments(index: 7, "lost"),
            .callBegan(index: 1, id: "again", name: "g", signature: nil), .stopped(.toolCalls, sequence: nil),
            .ended,
        ])
        try Self.check(events, "in turns")
        let output = try ResponsesFixture.data(events).last?["response"]?["output"]
        #expect(
            try ResponsesFixture.handedBack(output).0 == [
                .toolCall(.init(id: "a", name: "f", arguments: "{}")),
                .toolCall(.init(id: "b", name: "g", arguments: #"{"x":1}"#)), .text("More"),
            ])
    }

    @Test func `what is held is bounded, and what is too much ends in an error`() throws {
        let piece = String(repeating: "a", count: 1_000)
        let many = (0..<1_047).map { _ in AnswerPiece.text(piece) }
        let end: [AnswerPiece] = [.stopped(.finished, sequence: nil), .ended]
        let within = ResponsesFixture.written([.began(id: nil)] + many + end)
        #expect(try types(within).last == "response.completed")
        let beyond = ResponsesFixture.written([.began(id: nil)] + many + [.text(piece), .text(piece)] + end)
        let error = try #require(try ResponsesFixture.data(beyond).last)
        #expect(
            error["type"]?.text == "error" && error["message"]?.text?.contains("without a stream") == true)
        #expect(error["sequence_number"]?.whole == Int64(beyond.count - 1))
        // Items count though they hold nothing.
        let calls = (0..<10_000).map { AnswerPiece.callBegan(index: $0, id: "", name: "", signature: nil) }
        #expect(try types(ResponsesFixture.written(calls + end)).last == "error")
        let hidden = (0..<10_000).map { _ in
            AnswerPiece.hiddenReasoning(OpaqueToken("", of: .openAIResponses))
        }
        #expect(try types(ResponsesFixture.written(hidden + end)).last == "error")
        let signed = AnswerPiece.callBegan(
            index: 0, id: "a", name: "f",
            signature: OpaqueToken(String(repeating: "a", count: 1 << 20), of: .geminiContents))
        #expect(try types(ResponsesFixture.written([signed] + end)).last == "error")
    }

    @Test func `random pieces become a stream of the format that says the same`() throws {
        let seed: UInt64 = 0x0a1_0003
        var random = SplitMix(seed: seed)
        for round in 0..<300 {
            let note: Comment = "seed \(seed), round \(round)"
            var pieces: [AnswerPiece] = [.began(id: nil)]
            var open: [Int] = []
            var arguments: [String] = []
            var texts = ""
            var thoughts = ""
            for step in 0..<Int(random.next() % 30) {
                switch random.next() % 8 {
                case 0:
                    pieces.append(.text("t\(step)"))
                    texts += "t\(step)"
                case 1:
                    pieces.append(.refusal("n\(step)"))
                    texts += "n\(step)"
                case 2:
                    pieces.append(.reasoning("r\(step)"))
                    thoughts += "r\(step)"
                case 3: pieces.append(.reasoningToken(OpaqueToken("s", of: .geminiContents)))
                case 4: pieces.append(.hiddenReasoning(OpaqueToken("h", of: .anthropicMessages)))
                case 5:
                    let signature = step % 2 == 0 ? OpaqueToken("c", of: .geminiContents) : nil
                    pieces.append(
                        .callBegan(index: arguments.count, id: "c\(step)", name: "f", signature: signature))
                    open.append(arguments.count)
                    arguments.append("")
                case 6:
                    guard let call = open.randomElement(using: &random) else { continue }
                    pieces.append(.callArguments(index: call, "a\(step)"))
                    arguments[call] += "a\(step)"
                default:
                    guard let call = open.randomElement(using: &random) else { continue }
                    open.removeAll { $0 == call }
                    pieces.append(.callEnded(index: call))
                }
            }
            let stop = StopReason.allCases[Int(random.next() % UInt64(StopReason.allCases.count))]
            pieces += [.stopped(stop, sequence: nil), .usage(ResponsesFixture.usage, isFinal: true), .ended]
            let events = ResponsesFixture.written(pieces)
            try Self.check(events, note)
            let response = try ResponsesFixture.data(events).last?["response"]
            #expect(response?["usage"]?["total_tokens"]?.whole == ResponsesFixture.usage.total, note)
            var found: [String] = []
            var foundTexts = ""
            var foundThoughts = ""
            guard response?["output"]?.elements?.isEmpty == false else { continue }
            for part in try ResponsesFixture.handedBack(response?["output"]).0 {
                switch part {
                case .text(let text, _), .refusal(let text): foundTexts += text
                case .reasoning(let reasoning): foundThoughts += reasoning.text
                case .toolCall(let call, _): found.append(call.arguments)
                default: Issue.record(note)
                }
            }
            #expect(found == arguments.map { $0.isEmpty ? "{}" : $0 }, note)
            #expect(foundTexts == texts && foundThoughts == thoughts, note)
        }
    }
}
