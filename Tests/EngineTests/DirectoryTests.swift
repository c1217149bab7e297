import Domain
import Engine
import Metering
import Testing

@Suite struct DirectoryTests {
    /// Changes rows at random, and compares the directory that was changed with one that is made anew.
    @Test func `a directory with some keys put into it is the one that all keys together make`() throws {
        let seed = UInt64.random(in: .min ... .max)
        var generator = SplitMix(seed: seed)
        func draw(_ count: Int) -> Int { Int(generator.next() % UInt64(count)) }
        var state = EngineState(
            vault: nil, tenants: [], tenantKeys: [], providerKeys: [], virtualKeys: [], providers: [:],
            routes: [:], prices: .builtIn)
        var directory = state.directory()
        let states: [ProviderKeyState] = [.active, .active, .draining, .revoked, .damaged]
        for _ in 0..<400 {
            var rows: [ProviderKeyID: ProviderKeyRecord] = [:]
            for _ in 0...draw(6) {
                var row: ProviderKeyRecord
                let ids = state.providerKeys.keys.sorted()
                if !ids.isEmpty, draw(3) > 0, let known = state.providerKeys[ids[draw(ids.count)]] {
                    row = known
                } else {
                    row = ProviderKeyRecord(
                        id: .init(high: 1, low: generator.next()),
                        tenant: .init(high: 2, low: UInt64(draw(3))),
                        provider: try ProviderName("p\(draw(2))"), label: try Label("l"), state: .active,
                        fingerprint: "f", sealed: [], counter: 1,
                        created: WallTime(milliseconds: Int64(draw(20))))
                }
                row.state = states[draw(states.count)]
                row.counter += 1
                rows[row.id] = row
            }
            for row in rows.values { state.providerKeys[row.id] = row }
            directory = directory.putting(Array(rows.values))
            try #require(directory.keys == state.directory().keys, "seed \(seed)")
        }
        #expect(directory.keys.count == 3)
    }
}
