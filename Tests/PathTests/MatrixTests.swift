import Foundation
import TestKit
import TestTraits
import Testing

/// Every caller's format at every kind of provider, through the real program, with the official SDKs on both sides.
@Suite(.serialized, .ownThread) struct MatrixTests {
    /// One attempt a call, and breakers that never open: what one cell of the matrix does must not reach another.
    private static let options = """
        [bounds]
        attempts = 1
        [cache]
        enabled = false
        [breaker]
        minimum_calls = 10000
        consecutive_failures = 1000
        """

    @Test
    func
        `the official SDKs of callers are content with every kind of provider, and those of providers with the stand-ins`()
        throws
    {
        let house = try House(playingEveryKind: Self.options)
        // Commands are quicker through an engine than each with a vault to open.
        try house.start()
        let names = ["good", "revoked"]
        let keys = try providerKeys(house)
        let tokens = try names.map { name in
            try house.command(["tenant", "add", name])
            for (provider, key) in keys[name] ?? [:] {
                // Bedrock has no free call that shows whether a key works.
                let unasked = provider.hasPrefix("bedrock") ? ["--accept-unverified"] : []
                try house.command(["key", "add", name, provider, "--from-stdin"] + unasked, input: key)
            }
            return try house.token(name)
        }

        let ports = house.providerPorts.map { "\($0)" }
        let output = try Tool.run(
            try House.python,
            [try House.script("matrix"), "http://127.0.0.1:\(house.port)"] + ports
                + [house.folder.path + "/authority.pem"],
            input: tokens.joined(separator: "\n") + "\n", environment: ["PYTHONDONTWRITEBYTECODE": "1"],
            seconds: 600, expect: nil)
        // The table belongs into the log, whether it is a good one or not.
        print(output.out)
        #expect(output.status == 0, "\(output.out)\(output.err)")
    }

    /// From a tenant's name to its keys by provider.
    private func providerKeys(_ house: House) throws -> [String: [String: String]] {
        let data = try Data(contentsOf: URL(fileURLWithPath: house.folder.path + "/keys.json"))
        return try JSONDecoder().decode([String: [String: String]].self, from: data)
    }
}
