import Domain

/// Where a sealed record stands; opening takes it from the caller and never from the record.
struct SealContext: Hashable, Sendable {
    let column: SealedColumn
    /// nil = the gateway itself.
    let tenant: TenantID?
    /// The row's id, its 16 bytes.
    let record: [UInt8]
    let sealingVersion: UInt32
    /// The row's write counter: an older record put back does not open.
    let counter: UInt32
    /// Further facts that the record is bound to, such as a slot's cost; empty for most.
    let binding: [UInt8]

    init<Kind>(
        column: SealedColumn, tenant: TenantID?, record: Identifier<Kind>, sealingVersion: UInt32,
        counter: UInt32,
        binding: [UInt8] = []
    ) {
        self.column = column
        self.tenant = tenant
        self.record = record.bytes
        self.sealingVersion = sealingVersion
        self.counter = counter
        self.binding = binding
    }

    /// A tenant's purpose has a tenant that is not zero; a purpose of the gateway has none.
    var isPossible: Bool {
        column.purpose.ofTenant ? tenant.map { $0.high | $0.low != 0 } ?? false : tenant == nil
    }

    /// Bytes 0..<48 of the record.
    var header: [UInt8] {
        var header = SealedRecord.magic + [SealedRecord.formatVersion, SealedRecord.suite]
        header += [column.purpose.rawValue, 0]
        header += tenant?.bytes ?? [UInt8](repeating: 0, count: 16)
        header += record
        header += bigEndian(sealingVersion)
        header += bigEndian(counter)
        return header
    }

    /// The column's id and the binding as one length-prefixed field; ids are ASCII, so the zero byte separates.
    var field: [UInt8] {
        let content = Array(column.id.utf8) + (binding.isEmpty ? [] : [0] + binding)
        return bigEndian(UInt16(content.count)) + content
    }
}

/// The bytes of a number, most significant first.
func bigEndian(_ number: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: number.bigEndian) { Array($0) }
}
