import Domain
import Foundation
import TestKit
import TestTraits
import Testing

/// The search that the sweeps rely on finds what was put there, in every form, and nothing else.
@Suite(.ownThread) struct SecretSearchTests {
    private static let seed: UInt64 = 20_261_128
    private let secrets: [Secret]

    init() {
        var generator = SplitMix(seed: Self.seed)
        secrets = [
            Secret.mark("provider key", "old", prefix: "sk-test-", using: &generator),
            Secret.mark("passphrase", "first", prefix: "", using: &generator),
            Secret(
                "key file", "bytes", bytes: (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
            ),
        ]
    }

    private static func noise(_ count: Int, _ generator: inout SplitMix) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    @Test func `a secret is found in each form, whole and any eight bytes of it, at each place`() {
        var generator = SplitMix(seed: Self.seed + 1)
        let search = SecretSearch(secrets)
        for (number, secret) in secrets.enumerated() {
            for form in SecretForm.allCases {
                for start in secret.random.lowerBound...(secret.random.upperBound - 8) {
                    for length in [8, 13, secret.random.upperBound - start]
                    where length >= 8 && start + length <= secret.random.upperBound {
                        for pattern in form.patterns(of: secret.bytes[start..<(start + length)]) {
                            let hits = search.hits(
                                in: Data(Self.noise(37, &generator) + pattern + Self.noise(11, &generator)))
                            #expect(
                                hits.contains { $0.secret == number },
                                "\(secret.name) from \(start), \(length) bytes as \(form.rawValue)")
                        }
                    }
                }
            }
        }
    }

    @Test func `seven bytes of it, its beginning, and a megabyte of noise are not`() throws {
        var generator = SplitMix(seed: Self.seed + 1)
        let search = SecretSearch(secrets)
        let random = secrets[0].random
        let seven = Data(secrets[0].bytes[random.lowerBound..<(random.lowerBound + 7)])
        #expect(search.hits(in: Data("sk-test-".utf8) + Data(Self.noise(20, &generator))).isEmpty)
        #expect(
            search.hits(
                in: Data(Self.noise(20, &generator)) + seven + Data(" ".utf8)
                    + Data(Self.noise(20, &generator))
            )
            .isEmpty)
        let clock = ContinuousClock()
        let megabyte = Data(Self.noise(1 << 20, &generator))
        let took = clock.measure { #expect(search.hits(in: megabyte).isEmpty) }
        print("secret search: a megabyte in \(took)")
    }

    /// A way for a secret to lie in a sink, and the bytes of it.
    private func hidden() throws -> [(String, Data)] {
        let secret = secrets[0].text
        let pieces = secret.map { "\($0)" }
        let head = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        let chunks = pieces.map { "1\r\n\($0)\r\n" }.joined() + "0\r\n\r\n"
        let events = pieces.map { #"data: {"choices":[{"delta":{"content":"\#($0)"}}]}"# + "\n\n" }
        let framed = events.map { "\(String($0.utf8.count, radix: 16))\r\n\($0)\r\n" }.joined() + "0\r\n\r\n"
        let wrapped = pieces.map { "\($0) \r\n" }.joined()
        let coloured = pieces.map { "\u{1b}[1;31m\($0)\u{1b}[0m" }.joined()
        let boxed = pieces.map { "\u{2502} \($0) \u{2502}\n" }.joined()
        let dumped = secret.utf8.map { String($0, radix: 16) }.joined(separator: ":")
        let listed = secret.utf8.map { "\($0)" }.joined(separator: ", ")
        let base64 = Data(("x" + secret).utf8).base64EncodedString(options: .lineLength64Characters)
        return [
            ("HTTP chunks of one byte", Data((head + chunks).utf8)),
            ("a stream's events", Data(events.joined().utf8)),
            ("a stream's events in chunks", Data((head + framed).utf8)),
            ("lines of one letter", Data(wrapped.utf8)), ("a letter in each colour", Data(coloured.utf8)),
            ("a box on a screen", Data(boxed.utf8)), ("a spaced dump", Data(dumped.utf8)),
            ("a spaced list", Data(listed.utf8)), ("wrapped Base64", Data(base64.utf8)),
            ("gzip inside something", try packed("before " + secret + " after")),
        ]
    }

    private func packed(_ text: String) throws -> Data {
        let folder = try TemporaryFolder()
        try text.write(toFile: folder.path + "/plain", atomically: true, encoding: .utf8)
        try Tool.run("/usr/bin/gzip", [folder.path + "/plain"])
        return Data([1, 2, 3]) + (try Data(contentsOf: URL(fileURLWithPath: folder.path + "/plain.gz")))
            + Data([9])
    }

    @Test func `what is cut, wrapped, coloured or packed is put together again`() throws {
        for (name, data) in try hidden() {
            let sweep = SecretSweep()
            for secret in secrets { sweep.keep(secret) }
            sweep.add(data, to: "control", part: name)
            let found = try sweep.run()
            #expect(!found.leaks.isEmpty, "\(name) hides a secret")
            #expect(found.leaks.allSatisfy { $0.hasPrefix("provider key (old)") }, "\(found.leaks)")
        }
    }

    @Test func `a sink that should hold a secret and does not is told, and one that holds it is no leak`()
        throws
    {
        let sweep = SecretSweep()
        sweep.keep(secrets[0])
        sweep.add("key \(secrets[0].text)", to: "provider", part: "a", expected: ["provider key"])
        sweep.add("nothing", to: "other provider", part: "a", expected: ["provider key"])
        let found = try sweep.run()
        #expect(found.leaks.isEmpty)
        #expect(found.missing == ["provider key is not in other provider"])
        #expect(found.table.contains("(1)") && found.table.contains("(0)"))
    }
}
