import Domain
import TestTraits
import Testing

/// Requests sent ahead on one connection are answered one after the other, in their order.
@Suite(.serialized, .ownThread) struct PipelineTests {
    @Test func `calls sent ahead are answered in order`() async throws {
        var plan = HousePlan()
        plan.openAI = { link, request in
            let number = request.body.firstRange(of: "\"user\":\"").map {
                request.body[$0.upperBound...].prefix(2)
            }
            try link.send(Wire.counted("{\"n\":\"\(number ?? "")\"}"))
        }
        try await withHouse(plan) { house in
            let caller = try house.caller()
            let numbers = (10..<40).map(String.init)
            try caller.send(numbers.map { house.post(Wire.chat(more: #","user":"\#($0)""#)) }.joined())
            for number in numbers { #expect(try caller.answer().body == "{\"n\":\"\(number)\"}") }
            #expect(try house.rows(30).count == 30)
        }
    }

    @Test func `requests that need no provider are answered behind a call that does`() async throws {
        try await withHouse { house in
            let caller = try house.caller()
            try caller.send(
                house.post(Wire.chat()) + house.get("/health/live") + house.get("/nowhere")
                    + house.get("/v1/models") + house.post("{}") + house.post(Wire.chat())
                    + house.get("/health/ready") + house.get("/health/live"))
            var statuses: [Int] = []
            for _ in 0..<8 { statuses.append(try caller.answer().status) }
            #expect(statuses == [200, 200, 404, 200, 400, 200, 200, 200])
        }
    }

    @Test func `more requests than may wait are all answered`() async throws {
        try await withHouse { house in
            let caller = try house.caller()
            let count = 300
            let each =
                house.post(Wire.chat(), headers: "x-gatehouse-cache: off\r\n") + house.get("/health/live")
            try caller.send(String(repeating: each, count: count))
            for _ in 0..<count {
                #expect(try caller.answer().body == Wire.chatBody)
                #expect(try caller.answer().body == #"{"status":"live"}"#)
            }
        }
    }

    @Test func `nothing is answered behind a request that asks to close`() async throws {
        try await withHouse { house in
            let caller = try house.caller()
            try caller.send(
                house.post(Wire.chat(), headers: "connection: close\r\n") + house.get("/health/live"))
            let answer = try caller.answer()
            #expect(answer.status == 200 && answer.header("connection") == "close")
            #expect(try caller.sawEnd())
        }
    }

    @Test func `a connection is used again after errors that leave nothing unread`() async throws {
        try await withHouse { house in
            let caller = try house.caller()
            for (request, status) in [
                (house.post("{}"), 400), (house.get("/nowhere"), 404),
                (house.post(Wire.chat("nobody/x")), 404),
                (house.post(Wire.chat(), token: "gth_wrong"), 401), (house.post(Wire.chat()), 200),
            ] {
                try caller.send(request)
                #expect(try caller.answer().status == status)
            }
        }
    }
}
