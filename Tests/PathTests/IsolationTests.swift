import Foundation
import TestKit
import TestTraits
import Testing

@Suite(.serialized, .ownThread) struct IsolationTests {
    @Test func `cache, keys, routes and usage of two tenants never cross`() throws {
        let house = try House()
        let first = try house.tenant("acme", openAI: "sk-test-ACME-11111111111111")
        let second = try house.tenant("globex", openAI: "sk-test-GLOBEX-2222222222222")
        try house.start()
        let body = House.chat("openai/gpt-6-sol", "the same question")
        #expect(try house.call(token: first, body: body).head.contains("x-gatehouse-cache: miss"))
        #expect(try house.call(token: first, body: body).head.contains("x-gatehouse-cache: hit-exact"))
        // The same bytes from another tenant: asked anew, with its own key.
        #expect(try house.call(token: second, body: body).head.contains("x-gatehouse-cache: miss"))
        let keys = try house.requests().compactMap { $0["key"] as? String }
        #expect(keys == ["Bearer sk-test-ACME-11111111111111", "Bearer sk-test-GLOBEX-2222222222222"])

        try waitUntil("both ledgers are written") {
            try house.command(["usage", "report", "--by", "tenant", "--format", "csv"]).out
                .split(separator: "\n").count == 3
        }
        let report = try house.command(["usage", "report", "--by", "tenant", "--format", "csv"]).out
        #expect(report.contains("acme,2,") && report.contains("globex,1,"))
        house.stop(SIGTERM)

        // Each tenant's database names only its own rows.
        let tenants = try FileManager.default.contentsOfDirectory(atPath: house.data + "/tenants")
        #expect(tenants.count == 2)
        let files = tenants.map { house.data + "/tenants/\($0)/tenant.sqlite" }
        let swap = house.data + "/swap"
        try FileManager.default.moveItem(atPath: files[0], toPath: swap)
        try FileManager.default.moveItem(atPath: files[1], toPath: files[0])
        try FileManager.default.moveItem(atPath: swap, toPath: files[1])
        let refused = try house.command(["tenant", "list"], expect: nil)
        #expect(refused.status == 1)
        #expect(refused.err.contains("tenant"), "swapped files must be refused in words: \(refused.err)")
    }

    @Test func `suspension, revocation, limits and expiry are in force for the next call`() throws {
        let house = try House()
        let token = try house.tenant("acme")
        let narrow = try house.token("acme", ["--name", "narrow", "--rpm", "2"])
        let modelBound = try house.token("acme", ["--name", "bound", "--models", "openai/gpt-6-*"])
        try house.start()
        func status(_ token: String, _ model: String = "openai/gpt-6-sol") throws -> Int {
            try house.call(token: token, body: House.chat(model, UUID().uuidString)).status
        }
        #expect(try [status(narrow), status(narrow), status(narrow)] == [200, 200, 429])
        #expect(try status(modelBound) == 200)
        #expect(try status(modelBound, "openai/gpt-5") == 403)
        try house.command(["tenant", "suspend", "acme", "--reason", "test"])
        #expect(try status(token) == 403)
        try house.command(["tenant", "resume", "acme"])
        #expect(try status(token) == 200)
        let tokens = try house.command(["token", "list", "--json"]).out
        let rows = try JSONSerialization.jsonObject(with: Data(tokens.utf8)) as? [[String: Any]] ?? []
        let id = try #require(rows.first { $0["name"] as? String == "default" }?["id"] as? String)
        try house.command(["token", "revoke", id, "--reason", "test"])
        #expect(try status(token) == 401)
        try house.command(["breaker", "trip", "openai/gpt-6-sol", "--for", "5m", "--reason", "test"])
        let cut = try house.call(token: modelBound, body: House.chat("openai/gpt-6-sol", "tripped"))
        #expect(cut.status == 503 && cut.head.contains("retry-after:"))
    }
}
