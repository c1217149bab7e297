import Domain
import FuzzTargets
import Testing

/// The same rules as under libFuzzer, with a few mutations of each seed: what is broken shows at once.
@Suite struct FuzzTargetTests {
    @Test(arguments: FuzzTarget.allCases)
    func `every reader bears its seeds and what they become`(target: FuzzTarget) {
        let start = UInt64.random(in: 0 ... .max)
        print("fuzz \(target.rawValue): seed \(start)")
        var random = SplitMix(seed: start)
        for seed in target.seeds {
            run(target, seed)
            for _ in 0..<150 { run(target, mutated(seed, &random)) }
        }
    }

    private func run(_ target: FuzzTarget, _ bytes: [UInt8]) { bytes.withUnsafeBytes { target.run($0) } }

    private func mutated(_ seed: [UInt8], _ random: inout SplitMix) -> [UInt8] {
        var bytes = seed
        for _ in 0...Int(random.next() % 4) where !bytes.isEmpty {
            let place = Int(random.next() % UInt64(bytes.count))
            let value = UInt8(truncatingIfNeeded: random.next())
            switch random.next() % 4 {
            case 0: bytes[place] = value
            case 1: bytes.remove(at: place)
            case 2: bytes.insert(value, at: place)
            default: bytes.append(contentsOf: bytes[place...].prefix(Int(value)))
            }
        }
        return bytes
    }
}
