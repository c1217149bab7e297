public import Domain

/// Turns a terminal's bytes into keys, pastes and clicks; a plain value, byte by byte, time passed in.
///
/// Whole control strings are swallowed whether they are known or not: the tail of a sequence that nobody knows must
/// never come out as keys, because single letters are commands here.
public struct InputDecoder: Sendable {
    private enum State: Sendable {
        case ground
        case escape
        case controlSequence
        case singleShift
        /// A sequence that nobody knows: up to its last byte, which is from here to 0x7e.
        case swallowing(until: UInt8)
        /// OSC, DCS, APC, PM, SOS: until BEL or ST.
        case string(afterEscape: Bool)
        /// The rest of an X10 mouse report.
        case oldMouse(left: Int)
        case paste
        case scalar(needed: Int)
    }

    /// A lone escape key is one after this long (ncurses' usual ESCDELAY over a network is more, on a console less).
    private static let escapeWait = Duration.milliseconds(40)
    /// A sequence that does not end is given up.
    private static let sequenceWait = Duration.milliseconds(250)
    private static let sequenceMost = 64
    private static let pasteMost = 8 << 10
    private static let pasteEnd = Array("\u{1b}[201~".utf8)

    private var state = State.ground
    private var buffer: [UInt8] = []
    private var dropped = 0
    private var tail: [UInt8] = []
    private var last = Instant(nanoseconds: 0)

    public init() {}

    /// Whether something has begun that time may end.
    public var isWaiting: Bool {
        switch state {
        case .ground, .paste: false
        default: true
        }
    }

    /// Takes one byte.
    public mutating func feed(_ byte: UInt8, at now: Instant) -> [Input] {
        let late = idle(at: now)
        last = now
        return late + take(byte)
    }

    /// Lets time have its effect: a lone escape becomes the key, an unfinished sequence is given up. A paste waits for
    /// its end however long that takes.
    public mutating func idle(at now: Instant) -> [Input] {
        switch state {
        case .ground, .paste: return []
        case .escape:
            guard now - last >= Self.escapeWait else { return [] }
            state = .ground
            return [.key(.escape)]
        case .controlSequence, .singleShift, .swallowing, .string, .oldMouse, .scalar:
            guard now - last >= Self.sequenceWait else { return [] }
            reset()
            return [.unknownSequence]
        }
    }

    private var isInSequence: Bool {
        switch state {
        case .controlSequence, .singleShift, .swallowing, .oldMouse: true
        case .ground, .escape, .string, .paste, .scalar: false
        }
    }

    private mutating func reset() {
        state = .ground
        buffer = []
    }

    private mutating func take(_ byte: UInt8) -> [Input] {
        if byte == 0x1b, isInSequence {
            // The one before was cut short.
            reset()
            state = .escape
            return [.unknownSequence]
        }
        switch state {
        case .ground: return ground(byte)
        case .escape: return escape(byte)
        case .controlSequence: return controlSequence(byte)
        case .singleShift:
            reset()
            return [Self.named(byte).map { .key($0) } ?? .unknownSequence]
        case .swallowing(let first):
            guard (first...0x7e).contains(byte) else { return [] }
            reset()
            return [.unknownSequence]
        case .string(let afterEscape): return string(byte, afterEscape: afterEscape)
        case .oldMouse(let left):
            if left == 1 { reset() } else { state = .oldMouse(left: left - 1) }
            return []
        case .paste: return paste(byte)
        case .scalar(let needed): return scalar(byte, needed: needed)
        }
    }

    // MARK: Plain bytes

    private mutating func ground(_ byte: UInt8) -> [Input] {
        switch byte {
        case 0x1b:
            state = .escape
            return []
        case 0x0d, 0x0a: return [.key(.enter)]
        case 0x09: return [.key(.tab)]
        case 0x08, 0x7f: return [.key(.backspace)]
        case 0x01...0x1a: return [.key(.control(Character(UnicodeScalar(byte + 0x60))))]
        case 0x00...0x1f: return [.unknownSequence]
        case 0x20..<0x7f: return [.key(.character(Character(UnicodeScalar(byte))))]
        case 0xc2...0xf4:
            buffer = [byte]
            state = .scalar(needed: byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3)
            return []
        default: return [.unknownSequence]
        }
    }

    private mutating func scalar(_ byte: UInt8, needed: Int) -> [Input] {
        guard byte & 0xc0 == 0x80 else {
            reset()
            return [.unknownSequence] + take(byte)
        }
        buffer.append(byte)
        guard needed == 1 else {
            state = .scalar(needed: needed - 1)
            return []
        }
        let text = String(decoding: buffer, as: UTF8.self)
        reset()
        guard let scalar = text.unicodeScalars.first, scalar != "\u{fffd}", scalar.value >= 0xa0,
            let character = text.first
        else { return [.unknownSequence] }
        return [.key(.character(character))]
    }

    // MARK: Escape sequences

    private mutating func escape(_ byte: UInt8) -> [Input] {
        switch byte {
        case UInt8(ascii: "["):
            state = .controlSequence
            buffer = []
            return []
        case UInt8(ascii: "O"):
            state = .singleShift
            return []
        case UInt8(ascii: "]"), UInt8(ascii: "P"), UInt8(ascii: "_"), UInt8(ascii: "^"), UInt8(ascii: "X"):
            state = .string(afterEscape: false)
            return []
        case 0x20...0x2f:
            // ECMA-35 section 13.2: intermediates, then a final byte of 0x30 to 0x7e.
            state = .swallowing(until: 0x30)
            return []
        case 0x1b: return [.key(.escape)]
        default:
            // Alt with a key: nothing is bound there, and the key alone must not act.
            reset()
            return [.unknownSequence]
        }
    }

    private mutating func controlSequence(_ byte: UInt8) -> [Input] {
        // ECMA-48 section 5.4: parameters and intermediates, then a final byte of 0x40 to 0x7e.
        guard (0x40...0x7e).contains(byte) else {
            if (0x20...0x3f).contains(byte), buffer.count < Self.sequenceMost {
                buffer.append(byte)
            } else {
                state = .swallowing(until: 0x40)
            }
            return []
        }
        let parameters = buffer
        reset()
        if byte == UInt8(ascii: "M"), parameters.isEmpty {
            state = .oldMouse(left: 3)
            return []
        }
        return finish(parameters, byte)
    }

    private mutating func finish(_ parameters: [UInt8], _ final: UInt8) -> [Input] {
        if parameters.first == UInt8(ascii: "<") {
            return mouse(parameters.dropFirst(), final)
        }
        let numbers = parameters.split(separator: UInt8(ascii: ";")).map { Self.number($0) ?? -1 }
        switch final {
        case UInt8(ascii: "~"):
            if numbers.first == 200 {
                state = .paste
                dropped = 0
                tail = []
                return []
            }
            let keys: [Int: Key] = [
                1: .home, 7: .home, 4: .end, 8: .end, 3: .delete, 5: .pageUp, 6: .pageDown,
            ]
            return [numbers.first.flatMap { keys[$0] }.map { .key($0) } ?? .unknownSequence]
        case UInt8(ascii: "I"), UInt8(ascii: "O"): return parameters.isEmpty ? [] : [.unknownSequence]
        case UInt8(ascii: "Z"): return [.key(.backTab)]
        default:
            // Modifiers come as `1;5A`; anything else in front of the letter is no key of ours.
            guard numbers.isEmpty || (numbers.count == 2 && numbers[0] == 1) else {
                return [.unknownSequence]
            }
            return [Self.named(final).map { .key($0) } ?? .unknownSequence]
        }
    }

    /// A parameter; nil for what is no number or larger than any of use.
    private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
        guard (1...5).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private static func named(_ final: UInt8) -> Key? {
        switch final {
        case UInt8(ascii: "A"): .up
        case UInt8(ascii: "B"): .down
        case UInt8(ascii: "C"): .right
        case UInt8(ascii: "D"): .left
        case UInt8(ascii: "H"): .home
        case UInt8(ascii: "F"): .end
        case UInt8(ascii: "M"): .enter
        default: nil
        }
    }

    /// SGR mouse reports: button, column, row, counted from 1.
    private func mouse(_ parameters: ArraySlice<UInt8>, _ final: UInt8) -> [Input] {
        let numbers = parameters.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
            .compactMap { Self.number($0) }
        guard numbers.count == 3, numbers[1] > 0, numbers[2] > 0,
            final == UInt8(ascii: "M") || final == UInt8(ascii: "m")
        else { return [.unknownSequence] }
        switch numbers[0] {
        case 0:
            return final == UInt8(ascii: "M") ? [.click(column: numbers[1] - 1, row: numbers[2] - 1)] : []
        case 64: return [.wheel(up: true)]
        case 65: return [.wheel(up: false)]
        default: return []
        }
    }

    // MARK: Strings and pastes

    private mutating func string(_ byte: UInt8, afterEscape: Bool) -> [Input] {
        if byte == 0x07 || (afterEscape && byte == UInt8(ascii: "\\")) {
            reset()
            return [.unknownSequence]
        }
        state = .string(afterEscape: byte == 0x1b)
        return []
    }

    private mutating func paste(_ byte: UInt8) -> [Input] {
        tail.append(byte)
        if tail == Self.pasteEnd {
            let paste = Paste(bytes: buffer, dropped: dropped)
            for index in buffer.indices { buffer[index] = 0 }
            tail = []
            reset()
            return [.paste(paste)]
        }
        while !tail.isEmpty, !Self.pasteEnd.starts(with: tail) { keep(tail.removeFirst()) }
        return []
    }

    private mutating func keep(_ byte: UInt8) {
        if buffer.count < Self.pasteMost { buffer.append(byte) } else { dropped += 1 }
    }
}
