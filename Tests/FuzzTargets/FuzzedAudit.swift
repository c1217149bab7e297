import Cipher
import Domain
import Storage

/// The audit as a file: lines are taken only as they were written, and what is not what was exported does not verify.
enum FuzzedAudit {
    /// The first byte says whether edits of a genuine export follow, or lines.
    static let seeds: [[UInt8]] = [
        [0] + lines.joined(separator: [newline]), [0] + lines[0],
        [0] + lines.dropFirst().joined(separator: [newline]),
        [1], [1, 0, 90, 1], [1, 1, 0, 3, 2, 9, 10], [1, 3, 200, 4],
    ]

    private static let newline = UInt8(ascii: "\n")

    /// Three records, the same in every run.
    private static let lines: [[UInt8]] = {
        var records: [AuditRecord] = []
        for (number, action) in ["vault.create", "tenant.add", "key.add"].enumerated() {
            let draft = AuditDraft(
                id: AuditID(high: 1, low: UInt64(number)), at: WallTime(milliseconds: 1_800_000_000_000),
                actor: "ana", via: "command", action: action, target: "acme \u{e9}\"", after: "f00d",
                origin: OperatorOrigin(session: "0a0b0c0d", tty: "pts/1", uid: "1000", from: ""))
            records.append(
                AuditChain.record(
                    of: draft, after: records.last, blinding: [UInt8](repeating: UInt8(number), count: 32),
                    hashing: { SHA256.digest($0) }))
        }
        return [AuditExport.head(key: "", records: 3)].map { Array($0.dropLast()) }
            + records.map { Array(AuditExport.line($0).dropLast()) }
    }()

    static func run(_ input: UnsafeRawBufferPointer) {
        guard let choice = input.first else { return }
        var given = Array(input.dropFirst())
        if choice % 2 == 1 { given = Edits.apply(given, to: Array(lines.joined(separator: [newline]))) }
        let split = given.split(separator: newline, omittingEmptySubsequences: false).map(Array.init)
        must(verifies(split) == (split == lines), "an edited audit verifies, or a whole one does not")
    }

    private static func verifies(_ lines: [[UInt8]]) -> Bool {
        var check = AuditExportCheck(
            outside: [], hashing: { SHA256.digest($0) },
            verifying: { Ed25519.verify($0, of: $1, publicKey: $2) }, trusted: { _ in true })
        do throws(AuditExportCheck.Fault) {
            for line in lines { try check.take(line) }
            _ = try check.finish()
            return true
        } catch {
            must(!error.description.isEmpty, "a fault without words")
            return false
        }
    }
}
