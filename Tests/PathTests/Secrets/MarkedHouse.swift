import Domain
import Foundation
import TestKit
import Testing

/// A house in which every secret is a mark, and all that the program leaves anywhere is gathered.
final class MarkedHouse {
    let house: House
    let sweep: SecretSweep
    private(set) var marks: [String: Secret] = [:]
    /// Virtual keys of acme and of beta.
    var tokens: [String] = []
    private var generator: SplitMix
    private let watcher: Child
    /// A key service, which has a secret of its own for whoever may use it.
    let service: KeyService
    private var watched: String { house.folder.path + "/watched" }
    /// What stands outside the data folder by the operator's own wish, and is searched too.
    var outside: String { house.folder.path + "/outside" }
    var temporary: String { house.folder.path + "/temporary" }

    /// Kinds of secrets, in the order of the table.
    private static let kinds = [
        ("first", "provider key", "sk-test-"), ("second", "provider key", "sk-test-"),
        ("third", "provider key", "sk-test-"), ("anthropic", "provider key", "sk-ant-test-"),
        ("other tenant's", "provider key", "sk-test-"), ("by the console", "provider key", "sk-test-"),
        ("by the console, anew", "provider key", "sk-test-"), ("refused", "refused provider key", "sk-BAD-"),
        ("passphrase", "passphrase", "correct-"), ("passphrase after", "passphrase", "battery-"),
        ("wrong passphrase", "passphrase", "staple-"), ("PIN", "PIN", ""), ("wrong PIN", "PIN", ""),
        ("LiteLLM", "another gateway's key", "sk-"), ("LiteLLM master", "another gateway's key", "sk-"),
        ("prompt", "prompt", "say-"), ("unknown", "virtual key", "gth_"),
    ]

    init(seed: UInt64) throws {
        generator = SplitMix(seed: seed)
        let sweep = SecretSweep()
        for (name, kind, prefix) in Self.kinds {
            let mark = Secret.mark(kind, name, prefix: prefix, using: &generator)
            marks[name] = mark
            sweep.keep(mark)
        }
        self.sweep = sweep
        house = try House(sweep: sweep)
        for folder in ["/outside", "/temporary"] {
            try FileManager.default.createDirectory(
                atPath: house.folder.path + folder, withIntermediateDirectories: false)
        }
        house.environment["TMPDIR"] = house.folder.path + "/temporary"
        let watched = house.folder.path + "/watched"
        watcher = try Child(
            try House.python, [try House.script("watch"), try House.binary, watched],
            error: house.folder.path + "/watcher")
        try waitUntil("the watcher watches") { FileManager.default.fileExists(atPath: watched) }
        service = try KeyService()
        try
            "[default]\naws_access_key_id = \(service.accessKey.id)\naws_secret_access_key = \(service.accessKey.secret)\n"
            .write(
                toFile: house.folder.path + "/aws", atomically: true, encoding: .utf8)
        chmod(house.folder.path + "/aws", 0o600)
        sweep.keep(
            Secret("cloud credential", "of the key service", bytes: Array(service.accessKey.secret.utf8)))
        let keyFile = try String(contentsOfFile: house.folder.path + "/vault.key", encoding: .utf8)
        sweep.keep(Secret("key file", "its text", bytes: Array(keyFile.utf8)))
        sweep.keep(Secret("key file", "its bytes", bytes: Self.bytes(ofHexadecimal: keyFile)))
    }

    deinit { watcher.end(SIGKILL) }

    func text(_ mark: String) -> String { marks[mark]?.text ?? "" }

    static func bytes(ofHexadecimal text: String) -> [UInt8] {
        let digits = text.utf8.compactMap { UInt8(String(UnicodeScalar($0)), radix: 16) }
        return stride(from: 0, to: digits.count - 1, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }

    /// A command that reads its secret from standard input; several are lines of their own.
    @discardableResult
    func give(_ secrets: String..., to arguments: [String], expect: Int32? = 0) throws -> Tool.Output {
        try house.command(
            arguments + ["--from-stdin"], input: secrets.map { text($0) }.joined(separator: "\n"),
            expect: expect)
    }

    /// Ids by a name, from a listing.
    func id(_ listing: [String], _ member: String, _ value: String, tenant: String = "acme") throws -> String
    {
        let json = try house.command(listing + ["--json"]).out
        let rows = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]] ?? []
        let row = rows.first {
            $0[member] as? String == value && ($0["tenant"] as? String ?? tenant) == tenant
                && $0["state"] as? String != "revoked"
        }
        return try #require(row?["id"] as? String, "no \(value) in \(json)")
    }

    // MARK: What is gathered

    /// All files as they lie now.
    func gather(_ moment: String) {
        house.sweepData(moment)
        for (folder, sink) in [
            (outside, "exports, checkpoints"), (temporary, "temporary files"),
            (house.folder.path + "/backup", "backups"), (house.folder.path + "/backup-acme", "backups"),
        ] {
            sweep.add(folder: folder, part: moment) { _ in sink }
        }
        let aside = (try? FileManager.default.contentsOfDirectory(atPath: house.folder.path)) ?? []
        for name in aside where name.contains("replaced") {
            sweep.add(folder: house.folder.path + "/" + name, part: moment) { House.sink(of: $0) }
        }
    }

    /// What the engine's socket says to whoever asks.
    func gatherSocket(_ moment: String) throws {
        let questions = [
            "\"audit\":{\"limit\":500}", "\"auditLog\":{}", "\"auditFrom\":{\"sequence\":1,\"limit\":500}",
            "\"checkpoints\":{\"after\":0,\"limit\":50}", "\"routes\":{}",
            "\"calls\":{\"tenant\":\"acme\",\"limit\":500}", "\"limits\":{\"tenant\":\"acme\"}",
            "\"route\":{\"model\":\"failover\",\"tenant\":\"acme\"}",
        ]
        let lines =
            ["\"snapshot\":{}"] + questions.map { "\"query\":{\"_0\":{\($0)}}" }
            // A command that fails, one that is none, and one that breaks off: with a secret in each.
            + ["\"command\":{\"_0\":{\"vaultUnlock\":{}},\"secret\":\(Array(text("wrong passphrase").utf8))}"]
            + ["\"command\":{\"_0\":{\"\(text("first"))\":{}},\"secret\":\(Array(text("first").utf8))}"]
        let asked = lines.map { "{\"operatorName\":\"test\",\"body\":{\($0)}}" } + ["{\"\(text("second"))"]
        let said = try Tool.run(
            try House.python, [try House.script("ask"), house.data + "/engine.sock"],
            input: asked.joined(separator: "\n"))
        let refused = said.out.components(separatedBy: "the request is not one").count - 1
        #expect(
            refused == 2, "every question is one that the engine knows, but for two: \(said.out.prefix(400))")
        sweep.add(said.out, to: "engine's socket", part: moment)
    }

    /// What the processes showed of themselves while they ran.
    func gatherProcesses() throws {
        watcher.end(SIGTERM)
        let text = try String(contentsOfFile: watched, encoding: .utf8)
        let lines = text.split(separator: "\n")
        for (start, sink) in [("cmdline", "command lines"), ("environ", "environments")] {
            let own = lines.filter { $0.hasPrefix(start) && $0.contains(house.folder.path) }
            #expect(own.count > 10, "\(own.count) \(sink)")
            sweep.add(own.joined(separator: "\n"), to: sink, part: start)
        }
        sweep.add(
            (try? String(contentsOfFile: house.record, encoding: .utf8)) ?? "", to: "what providers got",
            part: "requests", expected: ["provider key", "prompt"])
    }
}
