import Foundation
import TestKit
import TestTraits
import Testing

@Suite(.serialized, .ownThread) struct SDKTests {
    @Test
    func `the official SDKs chat, stream, embed and list through the gateway, and the ledger has it right`()
        throws
    {
        let house = try House()
        let token = try house.tenant("acme")
        try house.start()
        let output = try house.script("sdk", ["http://127.0.0.1:\(house.port)"], token: token)
        #expect(output.out.contains("SDKs satisfied"))

        // The engine moves its journal into the ledger within a second.
        var rows: [String: [String: Any]] = [:]
        try waitUntil("the ledger has every call") {
            rows = [:]
            for line in try report(house) {
                if let keys = line["keys"] as? [String], let model = keys.first { rows[model] = line }
            }
            return rows["anthropic/cut"] != nil
        }
        // 60 input, 40 cached at a twentieth, 20 output at five times: see the price table.
        #expect(cost(rows["openai/gpt-6-sol"]) == 3 * 328_000)
        #expect(usage(rows["openai/gpt-6-sol"])["input"] == 180)
        #expect(usage(rows["openai/gpt-6-sol"])["cacheRead"] == 120)
        #expect(calls(rows["openai/gpt-6-sol"]) == 4, "one of them was a hit")
        #expect(usage(rows["openai/gpt-6-luna"])["input"] == 2 * 60, "responses, whole and streamed")
        #expect(usage(rows["openai/gpt-6-luna"])["output"] == 2 * 20)
        #expect(cost(rows["anthropic/claude-sonnet-5"]) == 0, "counting is free")
        // litellm#9812: 3 uncached, 12,304 written, 550 out are 0.054399 USD; twice.
        #expect(cost(rows["anthropic/claude-sonnet-4-5"]) == 2 * 54_399_000)
        // An unknown price is counted, never summed as zero.
        #expect(rows["openai/nobody-knows-the-price"]?["unpriced"] as? Int == 1)
        // A cut stream is metered with what had come.
        #expect((usage(rows["openai/cut"])["output"] ?? 0) > 0)
    }

    private func report(_ house: House) throws -> [[String: Any]] {
        let text = try house.command(["usage", "report", "--by", "model", "--format", "json"]).out
        return try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
    }

    private func calls(_ row: [String: Any]?) -> Int? { row?["calls"] as? Int }
    private func cost(_ row: [String: Any]?) -> Int? { (row?["cost"] as? [String: Any])?["nanoUSD"] as? Int }
    private func usage(_ row: [String: Any]?) -> [String: Int] { row?["usage"] as? [String: Int] ?? [:] }
}
