import Domain

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
        var reader = Reader(bytes: bytes)
        do {
            let (call, tenant, virtualKey) = (
                try reader.id() as CallID, try reader.id() as TenantID, try reader.id() as VirtualKeyID
            )
            let numbers = try (0..<11).map { _ in try reader.number() }
            let (cost, saved) = (try reader.optionalNumber(), try reader.optionalNumber())
            let (providerKey, payer) = try reader.providerKey()
            let (dialect, end) = (try reader.choice() as Dialect, try reader.choice() as CallEnd)
            let failure = try reader.text()
            let (cache, source) = (try reader.choice() as CacheOutcome, try reader.choice() as UsageSource)
            let (provider, targetModel) = (try reader.text(), try reader.text())
            let texts = try (0..<5).map { _ in try reader.text() }
            let target =
                provider.isEmpty
                ? nil : Target(provider: try ProviderName(provider), model: try ModelName(targetModel))
            let code = CallFailure.Code(rawValue: failure)
            guard failure.isEmpty || code != nil else { return nil }
            return LedgerRow(
                call: call, tenant: tenant, virtualKey: virtualKey, at: WallTime(milliseconds: numbers[0]),
                dialect: dialect, model: texts[0], target: target, providerKey: providerKey, user: texts[1],
                team: texts[2], tags: texts[4], status: Int(numbers[1]), end: end, failure: code,
                cache: cache,
                attempts: Int(numbers[2]),
                usage: Usage(
                    input: numbers[3], cacheRead: numbers[4], cacheWrite: numbers[5],
                    cacheWriteHour: numbers[6], output: numbers[7], reasoning: numbers[8]),
                usageSource: source, cost: cost.map(Money.init(nanoUSD:)),
                saved: saved.map(Money.init(nanoUSD:)),
                priceVersion: texts[3], latencyMicroseconds: numbers[9], firstByteMicroseconds: numbers[10],
                payer: payer)
        } catch {
            return nil
        }
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

    mutating func text() throws -> String {
        guard bytes.count - offset >= 2 else { throw Unreadable() }
        let count = Int(UInt16(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
        offset += 2
        guard bytes.count - offset >= count else { throw Unreadable() }
        defer { offset += count }
        return String(decoding: bytes[offset..<offset + count], as: UTF8.self)
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
