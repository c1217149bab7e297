import Domain
import Testing

@testable import Storage

/// Notes, with a signature that stands in for Ed25519: two hashes of key and message.
@Suite struct AuditCheckpointTests {
    private let key = AuditLogKey(
        vault: .init(high: 1, low: 2), log: .init(high: 3, low: 4),
        publicKey: [UInt8](repeating: 9, count: 32))
    private let head = AuditHead(
        size: 48_211, head: AuditChain.origin, root: Digest256(1, 2, 3, 4))

    private static func sign(_ message: [UInt8], _ key: [UInt8]) -> [UInt8] {
        let first = (key + message).withUnsafeBytes { referenceSHA256($0).bytes }
        return first + first.reversed()
    }

    private static let verify: AuditCheckpoint.Verifying = { signature, message, key in
        sign(message, key) == signature
    }

    private func checkpoint(_ size: Int64 = 48_211, by key: AuditLogKey? = nil) throws -> AuditCheckpoint {
        let key = key ?? self.key
        return try AuditCheckpoint(
            of: AuditHead(size: size, head: head.head, root: head.root), key: key,
            at: .init(milliseconds: 1_764_311_791_999), hashing: referenceSHA256,
            signing: { Self.sign($0, key.publicKey) })
    }

    private func read(_ text: String, by key: AuditLogKey? = nil) throws -> AuditCheckpoint {
        let (notes, skipped) = AuditNote.all(in: text.utf8)
        try #require(notes.count == 1 && skipped.isEmpty)
        return try AuditCheckpoint(
            verifying: notes[0], key: key ?? self.key, hashing: referenceSHA256, verifying: Self.verify)
    }

    @Test func `a checkpoint is a note with three lines and a signature that has the time`() throws {
        let checkpoint = try checkpoint()
        let lines = checkpoint.note.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        #expect(
            lines.prefix(4) == [
                "gatehouse/00000000-0000-0001-0000-000000000002/00000000-0000-0003-0000-000000000004",
                "48211",
                "AAAAAAAAAAEAAAAAAAAAAgAAAAAAAAADAAAAAAAAAAQ=", "",
            ])
        #expect(lines[4].hasPrefix("\u{2014} \(key.origin) ") && lines[5].isEmpty && lines.count == 6)
        #expect(checkpoint.time == 1_764_311_791)
        #expect(try read(checkpoint.note) == checkpoint)
    }

    @Test func `every byte that is changed makes it no checkpoint of this log`() throws {
        let note = Array(try checkpoint().note.utf8)
        for place in note.indices {
            var changed = note
            changed[place] ^= 1
            let (notes, _) = AuditNote.all(in: changed)
            let good = notes.contains { note in
                (try? AuditCheckpoint(
                    verifying: note, key: key, hashing: referenceSHA256, verifying: Self.verify)) != nil
            }
            #expect(!good, "byte \(place)")
        }
    }

    @Test func `another log's and another key's notes are told apart from forged ones`() throws {
        let other = AuditLogKey(
            vault: .init(high: 1, low: 2), log: .init(high: 3, low: 5), publicKey: key.publicKey)
        #expect(throws: AuditNoteFault.otherLog) { try read(checkpoint(by: other).note) }
        let stranger = AuditLogKey(
            vault: .init(high: 1, low: 2), log: .init(high: 3, low: 4),
            publicKey: [UInt8](repeating: 8, count: 32))
        #expect(throws: AuditNoteFault.notSigned) { try read(checkpoint(by: stranger).note) }
        let raised = try checkpoint().note.replacing("\n48211\n", with: "\n48212\n")
        #expect(throws: AuditNoteFault.badSignature) { try read(raised) }
    }

    @Test func `a witness's signature beside the log's is passed over`() throws {
        let note = try checkpoint().note
        let witnessed = note + "\u{2014} witness.example.com/w1 jWbPPwAAAABkGFDL\n"
        #expect(try read(witnessed).size == 48_211)
    }

    @Test func `notes stand one after the other, and what follows the last whole one is torn`() throws {
        let first = try checkpoint(1).note
        let second = try checkpoint(2).note
        let both = first + "\n" + second + "\n"
        #expect(AuditNote.all(in: both.utf8).notes.map(\.size) == [1, 2])
        #expect(AuditNote.all(in: both.utf8).skipped.isEmpty)
        #expect(AuditNote.all(in: both.utf8).notes[1].line == 7)
        #expect(AuditNote.all(in: (first + second).utf8).notes.map(\.size) == [1, 2])
        for kept in 1..<second.utf8.count {
            let (notes, skipped) = AuditNote.all(in: Array("\(first)\n".utf8) + second.utf8.prefix(kept))
            #expect(notes.map(\.size) == [1] && skipped.first == 7, "\(kept)")
        }
        // What is written after an interrupted write is found again.
        let resumed = AuditNote.all(in: "\(first)\n\(second.prefix(60))\n\(second)".utf8)
        #expect(resumed.notes.map(\.size) == [1, 2] && resumed.skipped == [7])
        #expect(AuditNote.all(in: "".utf8).notes.isEmpty)
    }

    @Test func `a verifier key is read as it was written, and nothing else`() throws {
        let text = key.verifierKey(hashing: referenceSHA256)
        #expect(AuditLogKey(verifierKey: text, hashing: referenceSHA256) == key)
        #expect(key.fingerprint(hashing: referenceSHA256).utf8.count == 64)
        for place in text.utf8.indices {
            let changed = String(text[..<place]) + "x" + String(text[text.utf8.index(after: place)...])
            guard !changed.utf8.elementsEqual(text.utf8) else { continue }
            #expect(AuditLogKey(verifierKey: changed, hashing: referenceSHA256) == nil, "\(changed)")
        }
    }

    @Test func `Base 64 is written with padding and read in one way only`() {
        for (plain, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")]
        {
            #expect(Base64.text(of: Array(plain.utf8)) == text)
            #expect(Base64.bytes(of: text) == Array(plain.utf8))
        }
        for odd in ["Zg=", "Zh==", "Zg", "Z===", "Zm9v\n", "Zm-v", "=Zg="] {
            #expect(Base64.bytes(of: odd) == nil, "\(odd)")
        }
    }
}
