import Dialects
import Testing

/// What every consumer of pieces relies on, whatever format they were read from.
enum PieceRules {
    static func check(_ pieces: [AnswerPiece], _ note: Comment) {
        var open: Set<Int> = []
        var calls = 0
        var stops = 0
        for (position, piece) in pieces.enumerated() {
            switch piece {
            case .began: #expect(position == 0, note)
            case .callBegan(let index, _, _, _):
                #expect(index == calls, note)
                calls += 1
                open.insert(index)
            case .callArguments(let index, _): #expect(open.contains(index), note)
            case .callEnded(let index): #expect(open.remove(index) != nil, note)
            case .stopped:
                stops += 1
                #expect(open.isEmpty, note)
            case .ended, .failed: #expect(position == pieces.count - 1, note)
            case .usage: break
            default: #expect(stops == 0, note)
            }
        }
        #expect(stops <= 1, note)
        #expect(pieces.last != .ended || stops == 1, note)
    }
}
