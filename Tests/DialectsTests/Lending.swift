/// Lends the bytes of a text.
func lend<Result, Failure: Error>(
    _ text: String, _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
) throws(Failure) -> Result {
    try lend(Array(text.utf8), body)
}

/// Lends some bytes.
func lend<Result, Failure: Error>(
    _ bytes: [UInt8], _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
) throws(Failure) -> Result {
    // `withUnsafeBytes` itself throws untyped.
    let outcome = bytes.withUnsafeBytes { lent in
        do throws(Failure) { return Swift.Result<Result, Failure>.success(try body(lent)) } catch {
            return Swift.Result<Result, Failure>.failure(error)
        }
    }
    return try outcome.get()
}

/// Text of some bytes.
func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
