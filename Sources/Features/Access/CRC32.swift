/// CRC-32/ISO-HDLC: the checksum of Ethernet, gzip and PNG (reflected polynomial 0xEDB88320).
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { rest, _ in rest & 1 == 1 ? 0xedb8_8320 ^ rest >> 1 : rest >> 1 }
    }

    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
        table.withUnsafeBufferPointer { table in
            ~bytes.reduce(UInt32.max) { rest, byte in
                table[Int(UInt8(truncatingIfNeeded: rest) ^ byte)] ^ rest >> 8
            }
        }
    }
}
