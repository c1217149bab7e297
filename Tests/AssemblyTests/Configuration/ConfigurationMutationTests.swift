import Domain
import Testing

@testable import Assembly

/// Random damage to a valid file: whatever comes out is read, or refused with a line.
@Suite struct ConfigurationMutationTests {
    private static let valid = """
        instance = "east"
        [listen]
        address = "127.0.0.1:8080"
        [vault]
        unlock = "keyfile"
        keyfile = "/run/key"
        [[provider]]
        name = "vllm"
        kind = "openai-compatible"
        base_url = "http://127.0.0.1:8000/v1"
        keyless = true
        [[route]]
        model = "smart"
        targets = ["anthropic/claude-sonnet-5", "vllm/own"]
        strategy = "weighted"
        weights = [3, 1]
        deny = ["groq"]
        regions = ["eu"]
        max_usd = "0.05"
        requires = ["tools"]
        last_resort = "openai/gpt-6-luna"
        on_context_overflow = ["openai/gpt-6-sol"]
        hedge_ms = 800
        [[model]]
        target = "vllm/*"
        lacks = ["vision"]
        context = 8192
        [platform]
        tenant = "house"
        [drill]
        tenants = ["acme"]
        [cache]
        enabled = true
        ttl_seconds = 300
        [bounds]
        attempts = 4
        [breaker]
        open_seconds = 10
        open_seconds_max = 120

        """

    @Test(arguments: 0..<40)
    func `random edits are read or refused with a line`(seed: UInt64) throws {
        var random = SplitMix(seed: seed)
        let sound = Array(Self.valid.utf8)
        #expect(throws: Never.self) { try Configuration.parse(Self.valid, file: "t") }
        var refused = 0
        for round in 0..<40 {
            var bytes = sound
            for _ in 0...Int.random(in: 0..<4, using: &random) { Self.damage(&bytes, &random) }
            let text = String(decoding: bytes, as: UTF8.self)
            do {
                _ = try Configuration.parse(text, file: "t")
            } catch {
                refused += 1
                #expect(error.line > 0, "seed \(seed) round \(round): \(error)\n\(text)")
                let lines = text.utf8.count { $0 == UInt8(ascii: "\n") } + 1
                #expect(error.line <= lines, "seed \(seed) round \(round): \(error)\n\(text)")
                #expect(!error.sentence.isEmpty, "seed \(seed) round \(round)")
            }
        }
        #expect(refused > 0, "seed \(seed): no edit did any damage")
    }

    /// Changes, inserts, removes or repeats a stretch; letters come from TOML's own.
    private static func damage(_ bytes: inout [UInt8], _ random: inout SplitMix) {
        guard !bytes.isEmpty else { return }
        let letters = Array("[]{}=\".,#\\\n\r\t 019eE-_+aé\u{0}'".utf8)
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let end = min(bytes.count, place + Int.random(in: 1...24, using: &random))
        let letter = letters[Int.random(in: 0..<letters.count, using: &random)]
        switch Int.random(in: 0..<5, using: &random) {
        case 0: bytes[place] = letter
        case 1: bytes.insert(letter, at: place)
        case 2: bytes.removeSubrange(place..<end)
        case 3:
            bytes.insert(contentsOf: bytes[place..<end], at: Int.random(in: 0...bytes.count, using: &random))
        default: bytes.replaceSubrange(place..<end, with: repeatElement(letter, count: end - place))
        }
    }
}
