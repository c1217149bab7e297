package import Foundation

/// Looks for many secrets in many forms at once: any few bytes in a row of their random parts.
package struct SecretSearch: Sendable {
    /// Where a part of a secret was found.
    package struct Hit: Sendable {
        /// The secret's place in the list.
        package let secret: Int
        package let form: SecretForm
        package let offset: Int
    }

    private struct Pattern: Sendable {
        let secret: Int
        let form: SecretForm
        let bytes: [UInt8]
    }

    private let patterns: [Pattern]
    /// By the first eight bytes of a pattern, as a number.
    private let starts: [UInt64: [Int]]
    /// A bit for each number's hash: most places of a file are turned away here.
    private let sieve: [Bool]

    /// - Parameter window: how many bytes in a row of a secret count as found; 8 at least.
    package init(_ secrets: [Secret], window: Int = 8) {
        var patterns: [Pattern] = []
        for (number, secret) in secrets.enumerated() {
            let length = min(window, secret.random.count)
            for start in secret.random.lowerBound...(secret.random.upperBound - length) {
                for form in SecretForm.allCases {
                    for bytes in form.patterns(of: secret.bytes[start..<(start + length)])
                    where bytes.count >= 8 {
                        patterns.append(Pattern(secret: number, form: form, bytes: bytes))
                    }
                }
            }
        }
        var starts: [UInt64: [Int]] = [:]
        var sieve = [Bool](repeating: false, count: 1 << 20)
        for (place, pattern) in patterns.enumerated() {
            let number = pattern.bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            starts[number, default: []].append(place)
            sieve[Int(Self.hash(number))] = true
        }
        (self.patterns, self.starts, self.sieve) = (patterns, starts, sieve)
    }

    private static func hash(_ number: UInt64) -> UInt64 { (number &* 0x9e37_79b9_7f4a_7c15) >> 44 }

    /// Every place where a part of a secret begins; neighbouring parts of one occurrence are one hit.
    package func hits(in data: Data) -> [Hit] {
        var found: [Hit] = []
        data.withUnsafeBytes { bytes in
            sieve.withUnsafeBufferPointer { sieve in
                guard bytes.count >= 8, let base = bytes.bindMemory(to: UInt8.self).baseAddress,
                    let sieve = sieve.baseAddress
                else { return }
                var (number, place) = (UInt64(0), 0)
                let count = bytes.count
                while place < count {
                    number = number << 8 | UInt64(base[place])
                    place += 1
                    // The hash of the last eight bytes, written out: this runs for every byte.
                    if sieve[Int((number &* 0x9e37_79b9_7f4a_7c15) >> 44)], place >= 8 {
                        match(number, bytes, place - 8, &found)
                    }
                }
            }
        }
        return found
    }

    private func match(
        _ number: UInt64, _ bytes: UnsafeRawBufferPointer, _ offset: Int, _ found: inout [Hit]
    ) {
        for place in starts[number] ?? [] {
            let pattern = patterns[place]
            guard bytes.count - offset >= pattern.bytes.count,
                bytes[offset..<(offset + pattern.bytes.count)].elementsEqual(pattern.bytes)
            else { continue }
            let isSame = found.suffix(16).contains {
                $0.secret == pattern.secret && offset - $0.offset <= 8 * pattern.bytes.count
            }
            if !isSame { found.append(Hit(secret: pattern.secret, form: pattern.form, offset: offset)) }
        }
    }
}
