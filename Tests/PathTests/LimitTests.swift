import Foundation
import TestKit
import TestTraits
import Testing

/// Limits of teams, users and keys, as an operator puts them and a caller meets them.
@Suite(.serialized, .ownThread) struct LimitTests {
    @Test func `what was used of a limit is used after a restart as well`() throws {
        let house = try House()
        let spender = try house.tenant("acme", limits: ["--team", "search"])
        let other = try house.token("acme", ["--team", "ads"])
        try house.command(["limit", "set", "acme", "--team", "search", "--rpm", "3"])
        try house.start()
        for _ in 0..<3 {
            #expect(try house.call(token: spender, body: House.chat("openai/gpt-6-sol")).status == 200)
        }
        #expect(try house.call(token: spender, body: House.chat("openai/gpt-6-sol")).status == 429)
        house.stop(SIGTERM)

        try house.start()
        let refused = try house.call(token: spender, body: House.chat("openai/gpt-6-sol"))
        #expect(refused.status == 429 && refused.head.contains("retry-after: "), "\(refused)")
        #expect(refused.body.contains("search"), "the refusal names the team: \(refused.body)")
        #expect(try house.call(token: other, body: House.chat("openai/gpt-6-sol")).status == 200)
        let listing = try house.command(["limit", "list", "acme"]).out
        #expect(listing.contains("search"), "\(listing)")

        try house.command(["limit", "clear", "acme", "--team", "search"])
        #expect(try house.call(token: spender, body: House.chat("openai/gpt-6-sol")).status == 200)
    }

    @Test func `a provider key over its own limit gives way to the tenant's other key`() throws {
        let house = try House()
        let token = try house.tenant("acme")
        try house.command(
            ["key", "add", "acme", "openai", "--from-stdin", "--label", "second"],
            input: "sk-test-MARKED-second-0000000000001")
        let keys = try house.command(["key", "list", "--json"]).out
        let rows = try JSONSerialization.jsonObject(with: Data(keys.utf8)) as? [[String: Any]] ?? []
        let ids = rows.filter { $0["provider"] as? String == "openai" }.compactMap { $0["id"] as? String }
        try #require(ids.count == 2, "\(keys)")
        for id in ids {
            try house.command(["limit", "set", "acme", "--provider-key", id, "--rpm", "1"])
        }
        try house.start()
        for text in ["one", "two"] {
            #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol", text)).status == 200)
        }
        let refused = try house.call(token: token, body: House.chat("openai/gpt-6-sol", "three"))
        #expect(refused.status == 429 && refused.head.contains("retry-after: "), "\(refused)")
    }
}
