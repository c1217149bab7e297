import Foundation
import TestKit
import TestTraits
import Testing

@Suite(.serialized, .ownThread) struct CrashTests {
    @Test func `kill -9 under load loses no acknowledged call, breaks no chain and no key`() throws {
        let house = try House()
        let token = try house.tenant("acme")
        var acknowledged: Set<String> = []
        for round in 0..<6 {
            try house.start()
            // In the middle of the calls: once some more have reached the provider, each round at another moment.
            let before = size(of: house.record)
            let kill = DispatchWorkItem {
                try? waitUntil("the load runs") {
                    self.size(of: house.record) - before > 8_000 + 1_700 * round
                }
                house.stop(SIGKILL)
            }
            DispatchQueue.global().async(execute: kill)
            let output = try house.script("load", ["\(house.port)", "2000"], token: token)
            kill.wait()
            for id in output.out.split(separator: "\n") { acknowledged.insert(String(id)) }
        }
        #expect(acknowledged.count > 100, "the load made \(acknowledged.count) calls only")

        try house.start()
        var ids: [String] = []
        try waitUntil("the journal is in the ledger") {
            let text = try house.command(["usage", "calls", "acme", "--limit", "10000", "--json"]).out
            let rows = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
            ids = rows.compactMap { $0["call"] as? String }
            return acknowledged.isSubset(of: ids)
        }
        #expect(Set(ids).count == ids.count, "a call stands twice in the ledger")
        #expect(try house.command(["audit", "verify"]).out.contains("intact"))
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol", "after")).status == 200)
    }

    private func size(of file: String) -> Int {
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        return attributes?[.size] as? Int ?? 0
    }
}
