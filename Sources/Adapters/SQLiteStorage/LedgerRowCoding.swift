import Domain
import Glibc

/// A ledger row as bytes in a slot of the usage journal: fixed fields, then texts with their lengths.
///
/// Any row fits. Texts are cut at a character: model 200 bytes, user and team 64, price version 32 (names are
/// bounded already). The tags come last and get what is left, never less than `tagsAtLeast`, cut after a whole
/// pair. Enumerations are written as their words, so that a case added later shifts nothing.
enum LedgerRowCoding {
    /// Bytes of tags that fit whatever the other texts are.
    static let tagsAtLeast = 128

    /// Writes the row; says how many bytes it took.
    static func encode(_ row: borrowing LedgerRow, into bytes: UnsafeMutableRawBufferPointer) -> Int {
        var writer = Writer(bytes: bytes)
        writer.put(row.call)
        writer.put(row.tenant)
        writer.put(row.virtualKey)
        writer.put(row.at.milliseconds)
        writer.put(Int64(row.status))
        writer.put(Int64(row.attempts))
        writer.put(row.usage.input)
        writer.put(row.usage.cacheRead)
        writer.put(row.usage.cacheWrite)
        writer.put(row.usage.cacheWriteHour)
        writer.put(row.usage.output)
        writer.put(row.usage.reasoning)
        writer.put(row.latencyMicroseconds)
        writer.put(row.firstByteMicroseconds)
        writer.put(row.cost?.nanoUSD)
        writer.put(row.saved?.nanoUSD)
        writer.put(row.providerKey, of: row.payer)
        writer.put(row.dialect.rawValue, atMost: 32)
        writer.put(row.end.rawValue, atMost: 16)
        writer.put(row.failure?.rawValue ?? "", atMost: 32)
        writer.put(row.cache.rawValue, atMost: 16)
        writer.put(row.usageSource.rawValue, atMost: 16)
        // Names are never empty: an empty provider says that there is no target.
        writer.put(row.target?.provider.text ?? "", atMost: ProviderNameRule.longest)
        writer.put(row.target?.model.text ?? "", atMost: ModelNameRule.longest)
        writer.put(row.model, atMost: ModelNameRule.longest)
        writer.put(row.user, atMost: LabelRule.longest)
        writer.put(row.team, atMost: LabelRule.longest)
        writer.put(row.priceVersion, atMost: 32)
        writer.put(row.tags, atMost: writer.left - 2, wholePairs: true)
        return writer.offset
    }

    /// Reads a row back; nil for bytes that no row of this version has.
    static func decode(_ bytes: UnsafeRawBufferPointer) -> LedgerRow? {
        decode(bytes) { try RowWords($0) }
    }

    /// As `decode`, with the words of rows read before: most rows say what one of them said.
    static func decode(_ bytes: UnsafeRawBufferPointer, knowing known: inout KnownWords) -> LedgerRow? {
        decode(bytes) { try known.words(in: $0) }
    }

    @inline(__always)
    private static func decode(
        _ bytes: UnsafeRawBufferPointer, words: (UnsafeRawBufferPointer) throws -> RowWords
    ) -> LedgerRow? {
        var reader = Reader(bytes: bytes)
        do {
            let call: CallID = try reader.id()
            let tenant: TenantID = try reader.id()
            let virtualKey: VirtualKeyID = try reader.id()
            let (at, status, attempts) = (try reader.number(), try reader.number(), try reader.number())
            let usage = Usage(
                input: try reader.number(), cacheRead: try reader.number(), cacheWrite: try reader.number(),
                cacheWriteHour: try reader.number(), output: try reader.number(),
                reasoning: try reader.number())
            let (latency, firstByte) = (try reader.number(), try reader.number())
            let (cost, saved) = (try reader.optionalNumber(), try reader.optionalNumber())
            let (providerKey, payer) = try reader.providerKey()
            let words = try words(try reader.texts(RowWords.texts))
            return LedgerRow(
                call: call, tenant: tenant, virtualKey: virtualKey, at: WallTime(milliseconds: at),
                dialect: words.dialect, model: words.model, target: words.target, providerKey: providerKey,
                user: words.user, team: words.team, tags: try reader.text(), status: Int(status),
                end: words.end, failure: words.failure, cache: words.cache, attempts: Int(attempts),
                usage: usage, usageSource: words.usageSource, cost: cost.map(Money.init(nanoUSD:)),
                saved: saved.map(Money.init(nanoUSD:)), priceVersion: words.priceVersion,
                latencyMicroseconds: latency, firstByteMicroseconds: firstByte, payer: payer)
        } catch {
            return nil
        }
    }
}

/// What a row says in words, but for its tags, which a caller may make new for each call.
struct RowWords {
    /// How many texts it is made of.
    fileprivate static let texts = 11

    let dialect: Dialect
    let end: CallEnd
    let failure: CallFailure.Code?
    let cache: CacheOutcome
    let usageSource: UsageSource
    let target: Target?
    let model: String
    let user: String
    let team: String
    let priceVersion: String

    fileprivate init(_ bytes: UnsafeRawBufferPointer) throws {
        var reader = Reader(bytes: bytes)
        (dialect, end) = (try reader.choice(), try reader.choice())
        let failure = try reader.text()
        self.failure = CallFailure.Code(rawValue: failure)
        guard failure.isEmpty || self.failure != nil else { throw Unreadable() }
        (cache, usageSource) = (try reader.choice(), try reader.choice())
        let (provider, targetModel) = (try reader.text(), try reader.text())
        target =
            provider.isEmpty
            ? nil : Target(provider: try ProviderName(provider), model: try ModelName(targetModel))
        (model, user) = (try reader.text(), try reader.text())
        (team, priceVersion) = (try reader.text(), try reader.text())
    }
}

/// The words of rows that were read before, each beside its bytes, so that the same bytes are read once.
///
/// Bounded: words whose bytes fall into the same place take it from each other.
struct KnownWords {
    private struct Entry {
        let bytes: [UInt8]
        let words: RowWords

        func hasBytes(of other: UnsafeRawBufferPointer) -> Bool {
            guard let start = other.baseAddress, bytes.count == other.count else { return false }
            return memcmp(bytes, start, other.count) == 0
        }
    }

    private var entries: [Entry?]

    /// 512: some kilobytes for a gateway with few users and models, and 500 KiB at the very most.
    init(capacity: Int = 512) { entries = Array(repeating: nil, count: max(1, capacity)) }

    fileprivate mutating func words(in bytes: UnsafeRawBufferPointer) throws -> RowWords {
        let place = Int(Self.mark(of: bytes) % UInt64(entries.count))
        if let entry = entries[place], entry.hasBytes(of: bytes) { return entry.words }
        let words = try RowWords(bytes)
        entries[place] = Entry(bytes: Array(bytes), words: words)
        return words
    }

    /// Spreads words over the places; not against those who choose them, who would only make others' be read again.
    private static func mark(of bytes: UnsafeRawBufferPointer) -> UInt64 {
        // Odd and with bits all over: 2^64 divided by the golden ratio.
        let factor: UInt64 = 0x9e37_79b9_7f4a_7c15
        var mark = UInt64(bytes.count)
        var offset = 0
        while offset + 8 <= bytes.count {
            mark = (mark ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self)) &* factor
            mark ^= mark >> 32
            offset += 8
        }
        while offset < bytes.count {
            mark = (mark ^ UInt64(bytes[offset])) &* factor
            mark ^= mark >> 32
            offset += 1
        }
        return mark
    }
}

/// Bytes end before a field does, or a word is none of its kind.
private struct Unreadable: Error {}

private struct Writer {
    let bytes: UnsafeMutableRawBufferPointer
    var offset = 0

    var left: Int { bytes.count - offset }

    mutating func put(_ number: Int64) {
        bytes.storeBytes(of: number.littleEndian, toByteOffset: offset, as: Int64.self)
        offset += 8
    }

    mutating func put<Kind>(_ id: Identifier<Kind>) {
        put(Int64(bitPattern: id.high))
        put(Int64(bitPattern: id.low))
    }

    mutating func put(_ number: Int64?) {
        put(flag: number != nil)
        if let number { put(number) }
    }

    /// Whose key it is goes into the byte that says that there is one: rows of older programs say `tenant` by it.
    mutating func put(_ key: ProviderKeyID?, of payer: Payer) {
        put(byte: key == nil ? 0 : payer == .tenant ? 1 : 2)
        if let key { put(key) }
    }

    mutating func put(_ text: String, atMost limit: Int, wholePairs: Bool = false) {
        let start = offset + 2
        let copied: Int? = text.utf8.withContiguousStorageIfAvailable { source in
            let count = Self.cut(source, limit, wholePairs)
            if count > 0, let from = source.baseAddress, let to = bytes.baseAddress {
                (to + start).copyMemory(from: from, byteCount: count)
            }
            return count
        }
        // Only a string bridged from elsewhere lies in pieces; none does on this platform.
        let count = copied ?? 0
        bytes.storeBytes(of: UInt16(count).littleEndian, toByteOffset: offset, as: UInt16.self)
        offset = start + count
    }

    private mutating func put(flag: Bool) { put(byte: flag ? 1 : 0) }

    private mutating func put(byte: UInt8) {
        bytes.storeBytes(of: byte, toByteOffset: offset, as: UInt8.self)
        offset += 1
    }

    private static func cut(_ source: UnsafeBufferPointer<UInt8>, _ limit: Int, _ wholePairs: Bool) -> Int {
        guard source.count > limit else { return source.count }
        var count = max(0, limit)
        if wholePairs {
            while count > 0, source[count] != UInt8(ascii: ",") { count -= 1 }
        } else {
            // 10xxxxxx: inside a character of UTF-8.
            while count > 0, source[count] & 0xc0 == 0x80 { count -= 1 }
        }
        return count
    }
}

private struct Reader {
    let bytes: UnsafeRawBufferPointer
    var offset = 0

    mutating func number() throws -> Int64 {
        guard bytes.count - offset >= 8 else { throw Unreadable() }
        defer { offset += 8 }
        return Int64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int64.self))
    }

    mutating func id<Kind>() throws -> Identifier<Kind> {
        Identifier(high: UInt64(bitPattern: try number()), low: UInt64(bitPattern: try number()))
    }

    mutating func optionalNumber() throws -> Int64? { try flag() ? try number() : nil }

    mutating func providerKey() throws -> (ProviderKeyID?, Payer) {
        switch try byte() {
        case 1: (try id(), .tenant)
        case 2: (try id(), .platform)
        default: (nil, .tenant)
        }
    }

    mutating func text() throws -> String { String(decoding: bytes[try textBytes()], as: UTF8.self) }

    private mutating func textBytes() throws -> Range<Int> {
        guard bytes.count - offset >= 2 else { throw Unreadable() }
        let count = Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
        let start = offset + 2
        guard bytes.count - start >= count else { throw Unreadable() }
        offset = start + count
        return start..<offset
    }

    /// The bytes of so many texts, with their lengths.
    mutating func texts(_ count: Int) throws -> UnsafeRawBufferPointer {
        let start = offset
        for _ in 0..<count { _ = try textBytes() }
        return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
    }

    mutating func choice<Choice: RawRepresentable<String>>() throws -> Choice {
        guard let choice = Choice(rawValue: try text()) else { throw Unreadable() }
        return choice
    }

    private mutating func flag() throws -> Bool { try byte() == 1 }

    private mutating func byte() throws -> UInt8 {
        guard offset < bytes.count else { throw Unreadable() }
        defer { offset += 1 }
        return bytes[offset]
    }
}
