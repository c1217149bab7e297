import CNcurses
import Console
import Glibc

/// Brings frames to the screen: what changed goes to ncurses, and ncurses sends what differs.
struct ScreenWriter {
    private struct Paint: Hashable {
        var foreground: Int32
        var background: Int32
    }

    private let session: TerminalSession
    private var theme: Theme
    private var last: Frame?
    private var pairs: [Paint: Int32] = [:]
    private var attributes: [Style: (attributes: UInt32, pair: Int32)] = [:]

    /// Begin and end of a frame (synchronized output, DEC mode 2026); terminals that do not know it ignore it.
    private static let begin = "\u{1b}[?2026h"
    private static let end = "\u{1b}[?2026l"

    init(_ session: TerminalSession, theme: Theme) {
        self.session = session
        self.theme = theme
    }

    /// Draws everything anew with the next frame.
    mutating func forget() {
        last = nil
        clear()
    }

    mutating func use(_ next: Theme) {
        theme = next
        attributes = [:]
        forget()
    }

    mutating func show(_ frame: Frame) {
        let known = last.flatMap { $0.width == frame.width && $0.height == frame.height ? $0 : nil }
        guard known != frame else { return }
        for row in 0..<frame.height {
            var column = 0
            while column < frame.width {
                let cell = frame[column, row]
                if known.map({ $0[column, row] != cell }) ?? true, cell.width > 0 { put(cell, column, row) }
                column += max(1, cell.width)
            }
        }
        last = frame
        if let cursor = frame.cursor {
            curs_set(1)
            move(Int32(cursor.row), Int32(cursor.column))
        } else {
            curs_set(0)
        }
        session.send(Self.begin)
        refresh()
        session.send(Self.end)
    }

    private mutating func put(_ cell: Cell, _ column: Int, _ row: Int) {
        let (attributes, pair) = look(of: cell.style)
        // Up to a base and three marks; SafeText allows two.
        var wide: [wchar_t] = cell.text.unicodeScalars.prefix(4).map { wchar_t(bitPattern: $0.value) }
        if wide.isEmpty { wide = [0x20] }
        wide.append(0)
        gh_put(Int32(row), Int32(column), wide, attributes, pair)
    }

    private mutating func look(of style: Style) -> (UInt32, Int32) {
        if let known = attributes[style] { return known }
        let made = makeLook(of: style)
        attributes[style] = made
        return made
    }

    private mutating func makeLook(of style: Style) -> (attributes: UInt32, pair: Int32) {
        guard session.depth != .mono, !theme.isMono else { return (mono(style), 0) }
        let ground: Slot =
            switch style.ground {
            case .base: .baseBackground
            case .raised: .baseRaised
            case .selected: .selectBackground
            case .danger: .dangerBackground
            }
        let foreground: Slot =
            style.ground == .selected && style.slot == .text ? .selectForeground : style.slot
        let paint = Paint(
            foreground: color(theme.colour(of: foreground), fallback: -1),
            background: color(theme.colour(of: ground), fallback: -1))
        guard let pair = pair(for: paint) else { return (mono(style), 0) }
        // Sixteen colours cannot tell a selected row by its ground in every palette.
        let extra = session.depth == .sixteen && style.ground == .selected ? gh_attr_reverse() : 0
        let strong: UInt32 = [.textStrong, .title].contains(style.slot) ? gh_attr_bold() : 0
        return (extra | strong, pair)
    }

    private func mono(_ style: Style) -> UInt32 {
        var marks = theme.mono(of: style.slot)
        if style.ground == .selected { marks.insert(.reverse) }
        if style.ground == .danger { marks.formUnion(theme.mono(of: .dangerForeground)) }
        var out: UInt32 = 0
        if marks.contains(.bold) { out |= gh_attr_bold() }
        if marks.contains(.dim) { out |= gh_attr_dim() }
        if marks.contains(.reverse) { out |= gh_attr_reverse() }
        if marks.contains(.underline) { out |= gh_attr_underline() }
        return out
    }

    private func color(_ colour: ThemeColour, fallback: Int32) -> Int32 {
        guard !colour.isDefault else { return -1 }
        switch session.depth {
        case .direct:
            guard let rgb = colour.rgb else { return fallback }
            let value = Int32(rgb.red) << 16 | Int32(rgb.green) << 8 | Int32(rgb.blue)
            // In direct mode 0 to 7 mean the palette: the nearest colour that does not is one step up.
            return value < 8 ? value + 0x000800 : value
        case .indexed: return colour.index256.map { Int32($0) } ?? fallback
        case .sixteen:
            guard let name = colour.name16 else { return fallback }
            return Int32(name) < gh_colors() ? Int32(name) : Int32(name % 8)
        case .mono: return fallback
        }
    }

    /// Pairs are made as they are needed; when the terminal has no more, attributes take over.
    private mutating func pair(for paint: Paint) -> Int32? {
        if let known = pairs[paint] { return known }
        let next = Int32(pairs.count + 1)
        guard next < gh_color_pairs(), init_extended_pair(next, paint.foreground, paint.background) == OK
        else {
            return nil
        }
        pairs[paint] = next
        return next
    }
}
