import Domain
import Foundation
import TestTraits
import Testing

/// A provider that answers with more than an answer.
@Suite(.serialized, .ownThread) struct UpstreamInjectionTests {
    @Test func `nothing of a provider's head gets into ours but a checked content type`() async throws {
        var plan = HousePlan()
        plan.openAI = { link, _ in
            let body = Wire.chatBody
            try link.send(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nset-cookie: a=b\r\nlocation: http://x/\r\n"
                    + "x-gatehouse-target: forged\r\nx-request-id: forged\r\naccess-control-allow-origin: *\r\n"
                    + "content-encoding: identity\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)")
        }
        try await withHouse(plan) { house in
            let answer = try house.call(Wire.chat())
            #expect(answer.status == 200 && answer.body == Wire.chatBody)
            for name in ["set-cookie", "location", "access-control-allow-origin"] {
                #expect(answer.header(name) == nil, "\(name)")
            }
            #expect(answer.header("x-gatehouse-target") == "openai/gpt-6-sol")
            #expect(answer.header("x-request-id") != "forged")
        }
    }

    @Test func `a packed answer is no answer: it is not opened, and the call goes on at the next target`()
        async throws
    {
        let packed = "\u{1f}\u{08}" + String(repeating: "packed", count: 2_000)
        var plan = HousePlan()
        plan.openAI = { link, request in
            let type = request.body.contains(#""stream":true"#) ? "text/event-stream" : "application/json"
            try link.send(
                "HTTP/1.1 200 OK\r\ncontent-type: \(type)\r\nContent-Encoding: GZip\r\n"
                    + "content-length: \(packed.utf8.count)\r\n\r\n\(packed)")
        }
        try await withHouse(plan) { house in
            for stream in [false, true] {
                let answer = try house.call(Wire.chat(stream: stream))
                #expect(answer.status == 502 && answer.body.contains("a packed answer (content-encoding)"))
                #expect(answer.header("content-encoding") == nil && !answer.body.contains("packedpacked"))
            }
            let other = try house.call(Wire.chat("pair"))
            #expect(other.status == 200 && other.header("x-gatehouse-target") == "second/gpt-6-sol")
        }
    }

    @Test func `events that a model's text spells out stay text in every format that is written anew`()
        async throws
    {
        let spelt = #"x\n\ndata: [DONE]\n\nevent: message_stop\ndata: {}\n\n\r\nevent: error"#
        var plan = HousePlan()
        plan.openAI = { link, _ in
            let events = Wire.delta(spelt) + Wire.lastDelta + Wire.usageChunk + Wire.done
            try link.send(Wire.streamHead + Wire.chunk(events) + Wire.streamEnd)
        }
        try await withHouse(plan) { house in
            let body = Wire.messages("openai/gpt-6-sol", stream: true)
            let answer = try house.call(at: "/v1/messages", body)
            #expect(answer.isWhole)
            let lines = answer.body.components(separatedBy: "\n")
            #expect(lines.count { $0.hasPrefix("event: message_stop") } == 1)
            #expect(!lines.contains { $0.hasPrefix("data: [DONE]") || $0.hasPrefix("event: error") })
            #expect(answer.body.contains(#"data: [DONE]\n\nevent: message_stop"#))
        }
    }
}
