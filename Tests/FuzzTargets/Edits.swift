/// Edits of something genuine, three bytes each: bytes without its key never get past the first check.
enum Edits {
    /// Flips, cuts, inserts, moves and puts numbers, as the input says.
    static func apply(_ edits: [UInt8], to genuine: [UInt8]) -> [UInt8] {
        var bytes = genuine
        for start in stride(from: 0, to: edits.count - 2, by: 3).prefix(32) {
            let place = bytes.isEmpty ? 0 : Int(edits[start + 1]) * 5 % bytes.count
            let value = edits[start + 2]
            switch edits[start] % 5 {
            case 0: if !bytes.isEmpty { bytes[place] ^= value }
            case 1: bytes.removeLast(min(bytes.count, Int(value)))
            case 2: bytes.insert(value, at: place)
            case 3: if !bytes.isEmpty { bytes.swapAt(place, place == 0 ? 0 : Int(value) % place) }
            default: if !bytes.isEmpty { bytes[place] = value }
            }
        }
        return bytes
    }
}
