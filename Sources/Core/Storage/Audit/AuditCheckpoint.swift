public import Domain

/// A signed statement of how many records a log had at a time, and of the root of its tree over them.
///
/// Written as a note (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature): origin, size and root a line each, an
/// empty line, and a line with the signature, which covers the time too. No extension lines.
public struct AuditCheckpoint: Sendable, Equatable {
    public let origin: String
    public let size: Int64
    public let root: Digest256
    /// Seconds since 1970.
    public let time: Int64
    /// The whole note, with its last newline.
    public let note: String

    /// What gives an Ed25519 signature over a message.
    public typealias Signing = ([UInt8]) throws -> [UInt8]
    /// Whether a signature is a public key's over a message.
    public typealias Verifying =
        @Sendable (
            _ signature: [UInt8], _ message: [UInt8], _ publicKey: [UInt8]
        ) -> Bool

    /// Signs a new one.
    public init(
        of head: AuditHead, key: AuditLogKey, at now: WallTime, hashing: Hashing, signing: Signing
    ) throws {
        origin = key.origin
        size = head.size
        root = head.root
        time = max(0, now.milliseconds / 1_000)
        let body = "\(origin)\n\(size)\n\(Base64.text(of: root.bytes))\n"
        let signature = try signing(Self.message(body, time: time))
        let blob = key.id(hashing: hashing) + Self.bigEndian(time) + signature
        note = "\(body)\n\(Self.dash)\(key.origin) \(Base64.text(of: blob))\n"
    }

    /// Reads a note and checks its signature by this key; signatures by others, such as witnesses, are passed over.
    public init(
        verifying note: AuditNote, key: AuditLogKey, hashing: Hashing, verifying: Verifying
    ) throws(AuditNoteFault) {
        guard note.origin.utf8.elementsEqual(key.origin.utf8) else { throw .otherLog }
        let id = key.id(hashing: hashing)
        for line in note.signatures where line.name.utf8.elementsEqual(key.origin.utf8) {
            guard line.blob.count == 4 + 8 + 64, Array(line.blob.prefix(4)) == id else { continue }
            let time = line.blob[4..<12].reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            guard let time = Int64(exactly: time),
                verifying(Array(line.blob[12...]), Self.message(note.body, time: time), key.publicKey)
            else { throw .badSignature }
            self.origin = note.origin
            self.size = note.size
            self.root = note.root
            self.time = time
            self.note = note.text
            return
        }
        throw .notSigned
    }

    static let dash = "\u{2014} "

    /// c2sp.org/tlog-cosignature, "Ed25519 signed message".
    private static func message(_ body: String, time: Int64) -> [UInt8] {
        Array("cosignature/v1\ntime \(time)\n\(body)".utf8)
    }

    private static func bigEndian(_ number: Int64) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}

/// Why a note is not taken for a checkpoint.
public enum AuditNoteFault: Error, Sendable, Equatable {
    case otherLog
    case badSignature
    case notSigned
}

/// A note as it was read: nothing in it is believed before its signature was checked.
public struct AuditNote: Sendable, Equatable {
    /// One line under a note: whose signature, and its bytes with the key's id before it.
    public struct Signature: Sendable, Equatable {
        public let name: String
        public let blob: [UInt8]
    }

    public let origin: String
    public let size: Int64
    public let root: Digest256
    public let signatures: [Signature]
    public let text: String
    /// Where it begins in the file, 1 for the first line.
    public let line: Int

    fileprivate var body: String { "\(origin)\n\(size)\n\(Base64.text(of: root.bytes))\n" }

    /// Signatures that are looked at: a note takes at least 16 (c2sp.org/signed-note).
    private static let signaturesMost = 16

    /// Notes that stand one after the other, with empty lines between them. `skipped`: where lines begin that could not
    /// be read as a note, such as those of an interrupted write.
    public static func all(in bytes: some Collection<UInt8>) -> (notes: [AuditNote], skipped: [Int]) {
        // The last line of a whole file is the empty one after its newline.
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map {
            String(decoding: $0, as: UTF8.self)
        }
        let whole = lines.dropLast()
        var notes: [AuditNote] = []
        var skipped: [Int] = []
        var isSkipping = false
        var position = 0
        while position < lines.count {
            if lines[position].isEmpty {
                position += 1
                continue
            }
            if let note = AuditNote(whole, at: position) {
                notes.append(note)
                position += 4 + note.signatures.count
                isSkipping = false
                continue
            }
            if !isSkipping { skipped.append(position + 1) }
            isSkipping = true
            position += 1
        }
        return (notes, skipped)
    }

    private init?(_ lines: ArraySlice<String>, at start: Int) {
        guard start + 4 < lines.endIndex, lines[start + 3].isEmpty,
            AuditLogKey.vault(of: lines[start]) != nil, let size = Int64(lines[start + 1]),
            lines[start + 1].utf8.elementsEqual("\(size)".utf8), size >= 0,
            let root = Base64.bytes(of: lines[start + 2]).flatMap({ Digest256(bytes: $0) })
        else { return nil }
        var signatures: [Signature] = []
        for line in lines[(start + 4)...].prefix(while: { $0.utf8.starts(with: AuditCheckpoint.dash.utf8) }) {
            let parts = line.utf8.dropFirst(AuditCheckpoint.dash.utf8.count).split(
                separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard parts.count == 2, signatures.count < Self.signaturesMost,
                let blob = Base64.bytes(of: String(decoding: parts[1], as: UTF8.self))
            else { return nil }
            signatures.append(Signature(name: String(decoding: parts[0], as: UTF8.self), blob: blob))
        }
        guard !signatures.isEmpty else { return nil }
        origin = lines[start]
        self.size = size
        self.root = root
        self.signatures = signatures
        line = start + 1
        text = lines[start..<(start + 4 + signatures.count)].map { $0 + "\n" }.joined()
    }
}
