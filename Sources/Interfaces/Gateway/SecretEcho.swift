/// Whether a provider's words give the key back that was sent to it, in one of the forms in which programs write bytes.
///
/// Eight bytes in a row count, as they are or as hexadecimal, Base64, percent escapes or a list of numbers, and eight
/// letters and digits in a row whatever stands between them.
enum SecretEcho {
    private static let least = 8

    static func isIn(_ text: [UInt8], _ key: UnsafeRawBufferPointer) -> Bool {
        guard key.count >= least, text.count >= least else { return false }
        if holds(text, key) || holds(text.filter(isAlphanumeric), key, only: isAlphanumeric) { return true }
        return hexadecimal(text).contains { holds($0, key) } || base64(text).contains { holds($0, key) }
            || holds(numbers(text), key)
    }

    /// - Parameter isKept: the bytes of the key that count, those that were kept of the text.
    private static func holds(
        _ text: [UInt8], _ key: UnsafeRawBufferPointer, only isKept: (UInt8) -> Bool = { _ in true }
    ) -> Bool {
        guard text.count >= least else { return false }
        for start in key.indices where isKept(key[start]) {
            for place in 0...(text.count - least) where text[place] == key[start] {
                var (same, next) = (0, start)
                while same < least, next < key.count {
                    defer { next += 1 }
                    guard isKept(key[next]) else { continue }
                    guard text[place + same] == key[next] else { break }
                    same += 1
                }
                if same == least { return true }
            }
        }
        return false
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"):
            true
        default: false
        }
    }

    /// Every run of hexadecimal digits, whatever of `%`, `\x`, colons and spaces stands between pairs, from its first
    /// and from its second digit.
    private static func hexadecimal(_ text: [UInt8]) -> [[UInt8]] {
        let between = Array("%:\\x- ,".utf8)
        return runs(text, skipping: between, value: Digits.hexadecimal).flatMap { run in
            (0..<2).map { start in
                stride(from: start, to: run.count - 1, by: 2).map { run[$0] << 4 | run[$0 + 1] }
            }
        }
    }

    /// Every run of Base64, of both alphabets (RFC 4648 sections 4 and 5), from each of its first four characters.
    private static func base64(_ text: [UInt8]) -> [[UInt8]] {
        runs(text, skipping: [], value: Digits.base64).flatMap { run in
            (0..<4).map { start in
                var out: [UInt8] = []
                var (held, bits) = (UInt32(0), 0)
                for value in run.dropFirst(start) {
                    held = held << 6 | UInt32(value)
                    bits += 6
                    guard bits >= 8 else { continue }
                    bits -= 8
                    out.append(UInt8(truncatingIfNeeded: held >> UInt32(bits)))
                }
                return out
            }
        }
    }

    private static func runs(
        _ text: [UInt8], skipping: [UInt8], value: (UInt8) -> UInt8?
    ) -> [[UInt8]] {
        var (out, run) = ([[UInt8]](), [UInt8]())
        for byte in text {
            if let value = value(byte) {
                run.append(value)
            } else if !skipping.contains(byte) {
                if run.count > least { out.append(run) }
                run = []
            }
        }
        return run.count > least ? out + [run] : out
    }

    /// All decimal numbers that are bytes, one after another.
    private static func numbers(_ text: [UInt8]) -> [UInt8] {
        text.split { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            .compactMap { UInt8(String(decoding: $0, as: UTF8.self)) }
    }

    private enum Digits {
        static func hexadecimal(_ byte: UInt8) -> UInt8? {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
            case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
            case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
            default: nil
            }
        }

        static func base64(_ byte: UInt8) -> UInt8? {
            switch byte {
            case UInt8(ascii: "A")...UInt8(ascii: "Z"): byte - UInt8(ascii: "A")
            case UInt8(ascii: "a")...UInt8(ascii: "z"): byte - UInt8(ascii: "a") + 26
            case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0") + 52
            case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
            case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
            default: nil
            }
        }
    }
}
