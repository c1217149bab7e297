import Foundation
import TestKit
import Testing

@Suite(.serialized) struct CrashTests {
    @Test func `kill -9 under load loses no acknowledged call, breaks no chain and no key`() throws {
        let house = try House()
        let token = try house.tenant("acme")
        var acknowledged: Set<String> = []
        for round in 0..<6 {
            try house.start()
            let kill = DispatchWorkItem { house.stop(SIGKILL) }
            DispatchQueue.global().asyncAfter(deadline: .now() + 0.25 + 0.07 * Double(round), execute: kill)
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
}
