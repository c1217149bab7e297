import Domain

/// SHA-256 straight from FIPS 180-4 section 6.2, for vectors; not for speed.
func referenceSHA256(_ bytes: UnsafeRawBufferPointer) -> Digest256 {
    let primes = (2...311).filter { number in !(2..<number).contains { number % $0 == 0 } }
    func fraction(_ root: Double) -> UInt32 { UInt32((root - root.rounded(.down)) * 4_294_967_296) }
    var state = primes.prefix(8).map { fraction(Double($0).squareRoot()) }
    let constants = primes.prefix(64).map { prime in fraction(cubeRoot(Double(prime))) }

    var message = Array(bytes) + [0x80]
    while message.count % 64 != 56 { message.append(0) }
    withUnsafeBytes(of: UInt64(bytes.count * 8).bigEndian) { message.append(contentsOf: $0) }

    for block in stride(from: 0, to: message.count, by: 64) {
        var words = (0..<16).map { word in
            (0..<4).reduce(UInt32(0)) { $0 << 8 | UInt32(message[block + word * 4 + $1]) }
        }
        for t in 16..<64 {
            let (a, b) = (words[t - 15], words[t - 2])
            let low = rotated(a, 7) ^ rotated(a, 18) ^ (a >> 3)
            let high = rotated(b, 17) ^ rotated(b, 19) ^ (b >> 10)
            words.append(words[t - 16] &+ low &+ words[t - 7] &+ high)
        }
        var v = state
        for t in 0..<64 {
            let sum1 = rotated(v[4], 6) ^ rotated(v[4], 11) ^ rotated(v[4], 25)
            let choice = (v[4] & v[5]) ^ (~v[4] & v[6])
            let first = v[7] &+ sum1 &+ choice &+ constants[t] &+ words[t]
            let sum0 = rotated(v[0], 2) ^ rotated(v[0], 13) ^ rotated(v[0], 22)
            let second = sum0 &+ ((v[0] & v[1]) ^ (v[0] & v[2]) ^ (v[1] & v[2]))
            v = [first &+ second, v[0], v[1], v[2], v[3] &+ first, v[4], v[5], v[6]]
        }
        for index in 0..<8 { state[index] = state[index] &+ v[index] }
    }
    let pairs = stride(from: 0, to: 8, by: 2).map { UInt64(state[$0]) << 32 | UInt64(state[$0 + 1]) }
    return Digest256(pairs[0], pairs[1], pairs[2], pairs[3])
}

private func rotated(_ word: UInt32, _ by: UInt32) -> UInt32 { word >> by | word << (32 - by) }

/// Newton's method; exact enough for the 32 bits that the standard takes.
private func cubeRoot(_ number: Double) -> Double {
    (0..<60).reduce(number / 2) { guess, _ in guess - (guess * guess * guess - number) / (3 * guess * guess) }
}
