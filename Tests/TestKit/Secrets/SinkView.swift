package import Foundation

/// Ways to read a sink that put together again what was cut, wrapped or packed.
package enum SinkView {
    /// The bytes as they are, and every other reading of them.
    package static func all(of data: Data) throws -> [Data] {
        var views = [data]
        if let body = unchunked(data) { views.append(body) }
        if let text = joined(data) { views.append(text) }
        for packed in try unpacked(data) { views.append(packed) }
        return views.flatMap { view in
            [view, folded(view) { $0 > 0x20 && $0 < 0x7f }, folded(view, keeping: isAlphanumeric)]
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
    }

    /// Without what a terminal takes for itself, and only certain bytes of the rest: a text that a screen wraps or a dump
    /// spaces is whole again.
    package static func folded(_ data: Data, keeping isKept: (UInt8) -> Bool) -> Data {
        let kept = (0...255).map { isKept(UInt8($0)) }
        var out = [UInt8](repeating: 0, count: data.count)
        var count = 0
        data.withUnsafeBytes { bytes in
            kept.withUnsafeBufferPointer { kept in
                out.withUnsafeMutableBufferPointer { out in
                    var place = 0
                    while place < bytes.count {
                        let byte = bytes[place]
                        place += 1
                        if byte == 0x1b {
                            place = afterSequence(bytes, place)
                        } else if kept[Int(byte)] {
                            out[count] = byte
                            count += 1
                        }
                    }
                }
            }
        }
        return Data(out.prefix(count))
    }

    /// After a control sequence (ECMA-48 section 5.4): `ESC [`, parameters, one final byte. A longer one is none.
    private static func afterSequence(_ bytes: UnsafeRawBufferPointer, _ start: Int) -> Int {
        guard start < bytes.count, bytes[start] == UInt8(ascii: "[") else { return start }
        var place = start + 1
        while place < bytes.count, place - start < 32 {
            if (0x40...0x7e).contains(bytes[place]) { return place + 1 }
            place += 1
        }
        return start
    }

    /// The body of an HTTP message without the frames of its pieces (RFC 9112 section 7.1); nil when it has none.
    static func unchunked(_ data: Data) -> Data? {
        let end = Data("\r\n\r\n".utf8)
        guard data.starts(with: Data("HTTP/1.1 ".utf8)), let head = data.range(of: end),
            String(decoding: data[..<head.lowerBound], as: UTF8.self).lowercased().contains(
                "transfer-encoding: chunked")
        else { return nil }
        var (out, place) = (Data(), head.upperBound)
        while let line = data.range(of: Data("\r\n".utf8), in: place..<data.endIndex) {
            let words = String(decoding: data[place..<line.lowerBound], as: UTF8.self)
            guard let length = Int(words, radix: 16), length > 0 else { break }
            let last = min(line.upperBound + length, data.endIndex)
            out += data[line.upperBound..<last]
            guard last + 2 <= data.endIndex else { break }
            place = last + 2
        }
        return out
    }

    /// The texts of a stream's events put behind one another: what a model says piece by piece.
    static func joined(_ data: Data) -> Data? {
        let body = unchunked(data) ?? data
        guard body.range(of: Data("data:".utf8)) != nil else { return nil }
        let text = String(decoding: body, as: UTF8.self)
        let piece = /"(?:content|text|delta|partial_json|arguments)"\s*:\s*"((?:[^"\\]|\\.)*)"/
        let joined = text.matches(of: piece).map { $0.1 }.joined()
        return joined.isEmpty ? nil : Data(joined.utf8)
    }

    /// What gzip packed, wherever in the bytes it begins (RFC 1952 section 2.3.1: 1f 8b, method 8).
    static func unpacked(_ data: Data) throws -> [Data] {
        let magic = Data([0x1f, 0x8b, 8])
        var (out, from) = ([Data](), data.startIndex)
        while let place = data.range(of: magic, in: from..<data.endIndex) {
            let folder = try TemporaryFolder()
            let (packed, plain) = (folder.path + "/packed", folder.path + "/plain")
            try data[place.lowerBound...].write(to: URL(fileURLWithPath: packed))
            let child = try Child("/usr/bin/gzip", ["-dc"], input: packed, output: plain, error: "/dev/null")
            defer { child.end(SIGKILL) }
            try waitUntil("gzip ends") { child.status != nil }
            // What follows the packed part is none of its business, and is complained of.
            let bytes = try Data(contentsOf: URL(fileURLWithPath: plain))
            if !bytes.isEmpty { out.append(bytes) }
            from = place.upperBound
        }
        return out
    }
}
