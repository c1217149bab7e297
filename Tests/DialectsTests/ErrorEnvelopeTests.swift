import Dialects
import Domain
import Foundation
import Testing

@Suite struct ErrorEnvelopeTests {
    private let failure = CallFailure(
        .invalidRequest, source: .caller, "say \"please\"\r\n\u{1b}[0m\u{85}é", field: "stream")

    private func object(_ bytes: [UInt8]) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any])
    }

    @Test func `OpenAI callers get OpenAI's envelope`() throws {
        let error = try #require(
            try object(ErrorEnvelope.body(of: failure, as: .openAIChat))["error"] as? [String: Any])
        #expect(error["message"] as? String == failure.message)
        #expect(error["type"] as? String == "invalid_request_error")
        #expect(error["param"] as? String == "stream")
        #expect(error["code"] as? String == "invalid_request")
        let other = CallFailure(.invalidKey, source: .caller, "unknown key")
        #expect(
            text(ErrorEnvelope.body(of: other, as: .openAIEmbeddings))
                == #"{"error":{"message":"unknown key","type":"authentication_error","param":null,"code":"invalid_virtual_key"}}"#
        )
    }

    @Test func `Anthropic callers get Anthropic's envelope`() throws {
        let body = try object(ErrorEnvelope.body(of: failure, as: .anthropicMessages, requestID: "req_1"))
        #expect(body["type"] as? String == "error")
        #expect(body["request_id"] as? String == "req_1")
        let error = try #require(body["error"] as? [String: Any])
        #expect(error["type"] as? String == "invalid_request_error")
        #expect(error["message"] as? String == failure.message)
    }

    @Test(arguments: [
        (400, "invalid_request_error"), (401, "authentication_error"), (402, "billing_error"),
        (403, "permission_error"), (404, "not_found_error"), (409, "conflict_error"),
        (413, "request_too_large"),
        (424, "invalid_request_error"), (429, "rate_limit_error"), (500, "api_error"), (502, "api_error"),
        (503, "overloaded_error"), (504, "timeout_error"), (529, "overloaded_error"),
    ])
    func `Anthropic's types follow the status`(status: Int, type: String) {
        let failure = CallFailure(.upstreamRefused, source: .provider, "x", status: status)
        #expect(
            text(ErrorEnvelope.body(of: failure, as: .anthropicMessages)).contains("{\"type\":\"\(type)\","))
    }

    @Test func `every failure code has an envelope that parses in every dialect`() throws {
        for code in CallFailure.Code.allCases {
            for dialect in Dialect.allCases {
                let failure = CallFailure(code, source: .gateway, "because")
                #expect(try object(ErrorEnvelope.body(of: failure, as: dialect))["error"] != nil)
            }
        }
    }

    @Test func `a frame ends an OpenAI stream without pretending success`() throws {
        let frame = text(ErrorEnvelope.streamFrame(of: failure, as: .openAIChat, requestID: "c1"))
        #expect(frame.hasPrefix("data: {") && frame.hasSuffix("}\n\n") && !frame.contains("[DONE]"))
        let chunk = try object(Array(frame.utf8.dropFirst(6).dropLast(2)))
        #expect(chunk["id"] as? String == "c1")
        #expect((chunk["error"] as? [String: Any])?["code"] as? String == "invalid_request")
        let choice = try #require((chunk["choices"] as? [[String: Any]])?.first)
        #expect(choice["finish_reason"] as? String == "error")
    }

    @Test func `a frame ends a stream of responses with the event that is documented for it`() throws {
        let frame = text(
            ErrorEnvelope.streamFrame(of: failure, as: .openAIResponses, requestID: "c1", sequenceNumber: 7))
        let start = "event: error\ndata: "
        #expect(frame.hasPrefix(start) && frame.hasSuffix("}\n\n"))
        let event = try object(Array(frame.utf8.dropFirst(start.utf8.count).dropLast(2)))
        #expect(event["type"] as? String == "error")
        #expect(event["code"] as? String == "invalid_request")
        #expect(event["message"] as? String == failure.message)
        #expect(event["param"] as? String == "stream")
        #expect(event["sequence_number"] as? Int == 7)
        // OpenAI's SDKs raise on this member only.
        #expect((event["error"] as? [String: Any])?["message"] as? String == failure.message)
    }

    @Test(arguments: [Dialect.openAIChat, .openAIResponses, .anthropicMessages])
    func `our own reader takes a frame for an error and one event`(dialect: Dialect) throws {
        var reader = StreamReader(dialect: dialect, dropsUsage: false)
        var scanner = EventStreamScanner()
        var events = 0
        try lend(ErrorEnvelope.streamFrame(of: failure, as: dialect)) { (lent) throws(StreamFault) in
            try reader.read(lent) { _ in }
            try scanner.scan(lent, for: &events) { events, _ in events += 1 }
        }
        #expect(events == 1)
        #expect(reader.answer.fault?.message == "say \"please\"[0mé")
        #expect(!reader.answer.ended)
    }

    @Test func `no control character goes out raw, whatever the bytes`() throws {
        for byte in UInt8.min...UInt8.max {
            var writer = JSONWriter()
            lend([0x61, byte, 0x62]) { writer.text(lossy: $0) }
            #expect(writer.bytes.allSatisfy { $0 >= 0x20 && $0 != 0x7f }, "\(byte)")
            let decoded = try JSONSerialization.jsonObject(
                with: Data(writer.bytes), options: .fragmentsAllowed)
            #expect(decoded as? String == String(decoding: [0x61, byte, 0x62], as: UTF8.self), "\(byte)")
        }
        for scalar in (0x80...0x9f).compactMap({ UnicodeScalar(UInt32($0)) }) {
            var writer = JSONWriter()
            writer.text(String(Character(scalar)))
            #expect(text(writer.bytes) == "\"\\u00\(String(scalar.value, radix: 16))\"")
        }
    }

    @Test func `models are listed in OpenAI's shape`() throws {
        let list = ModelList([
            .init(id: try ModelName("openai/gpt-4o"), owner: "openai"),
            .init(
                id: try ModelName("smart"), owner: "gatehouse",
                created: WallTime(milliseconds: 1_700_000_000_999)),
        ])
        #expect(
            text(list.encoded()) == #"{"object":"list","data":["#
                + #"{"id":"openai/gpt-4o","object":"model","created":0,"owned_by":"openai"},"#
                + #"{"id":"smart","object":"model","created":1700000000,"owned_by":"gatehouse"}]}"#)
        #expect(text(ModelList([]).encoded()) == #"{"object":"list","data":[]}"#)
    }

    @Test func `models are listed in Anthropic's shape`() throws {
        let list = ModelList([
            .init(id: try ModelName("openai/gpt-4o"), owner: "openai"),
            .init(
                id: try ModelName("smart"), owner: "gatehouse",
                created: WallTime(milliseconds: 1_700_000_000_999)),
        ])
        #expect(
            text(list.encoded(isAnthropic: true)) == #"{"data":["#
                + #"{"type":"model","id":"openai/gpt-4o","display_name":"openai/gpt-4o","#
                + #""created_at":"1970-01-01T00:00:00.000Z","lifecycle":"active"},"#
                + #"{"type":"model","id":"smart","display_name":"smart","#
                + #""created_at":"2023-11-14T22:13:20.999Z","lifecycle":"active"}],"#
                + #""has_more":false,"first_id":"openai/gpt-4o","last_id":"smart"}"#)
        #expect(
            text(ModelList([]).encoded(isAnthropic: true))
                == #"{"data":[],"has_more":false,"first_id":null,"last_id":null}"#)
    }
}
