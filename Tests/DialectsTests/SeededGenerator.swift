/// SplitMix64 (S. Vigna, public domain): random numbers that a printed seed brings back.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

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
