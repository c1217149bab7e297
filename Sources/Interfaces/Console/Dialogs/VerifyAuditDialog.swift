import Domain
import Operations

/// Walks the whole chain of the audit, and shows what was found and how far the log is signed.
struct VerifyAuditDialog: Dialog {
    private var chain: Result<EngineAnswer, CommandRefusal>?
    private var log: Result<EngineAnswer, CommandRefusal>?
    private var scroll = ScrolledLines()

    var title: String { "Verify the audit" }
    /// The chain first; the log's key and signature belong to what was found.
    var question: EngineQuery? { chain == nil ? .verifyAudit : .auditLog }

    mutating func answered(_ result: Result<EngineAnswer, CommandRefusal>) {
        if chain == nil { chain = result } else { log = result }
    }

    mutating func handle(_ input: Input, _ model: ConsoleModel) -> DialogStep {
        scroll.closes(input, count: lines(width: 70).count) ? .close : .stay
    }

    func size(_ model: ConsoleModel, width: Int) -> (width: Int, height: Int) {
        (72, lines(width: min(72, width - 6)).count + 2)
    }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        scroll.draw(lines(width: area.width), &canvas, in: area, on: ground)
    }

    private func lines(width: Int) -> [ScrolledLines.Line] {
        switch chain {
        case nil: [.init("walking the chain from its first record ...", .statusNew)]
        case .success(.auditIntact(let records, let head))?:
            wrapped("the chain is intact: \(Figure.count(Int(records), "record"))", .statusOK, width)
                + wrapped("head   \(head)", .textDim, width) + logLines(width)
        case .success(.auditBroken(let sequence, let what))?:
            wrapped("the chain is BROKEN at #\(Figure.grouped(sequence)): \(what)", .statusBad, width)
                + wrapped("Keep this data folder as it is, and compare it with a backup.", .text, width)
                + logLines(width)
        case .success?: [.init("the engine gave another answer", .statusWarn)]
        case .failure(let refusal)?: wrapped(refusal.message, .statusWarn, width)
        }
    }

    private func logLines(_ width: Int) -> [ScrolledLines.Line] {
        switch log {
        case nil: return [.init("asking for its signature ...", .statusNew)]
        case .success(.auditLog(let log))?:
            var out = wrapped("root   \(log.root)", .textDim, width)
            let at = log.signedAt.map { ", \($0)" } ?? ""
            let isWhole = log.signed == log.records
            out += wrapped(
                "signed \(Figure.grouped(log.signed)) of \(Figure.grouped(log.records)) records\(at)",
                isWhole ? .text : .statusWarn, width)
            if !log.trouble.isEmpty { out += wrapped(log.trouble, .statusBad, width) }
            guard !log.fingerprint.isEmpty else {
                return out + wrapped("it has no key yet", .statusWarn, width)
            }
            return out + wrapped("key    \(log.fingerprint)", .textDim, width)
                + wrapped(
                    "Compare the key with the one that was noted elsewhere: who can write here can also sign.",
                    .text, width)
        case .success?: return [.init("the engine gave another answer", .statusWarn)]
        case .failure(let refusal)?: return wrapped(refusal.message, .statusWarn, width)
        }
    }

    private func wrapped(_ text: String, _ slot: Slot, _ width: Int) -> [ScrolledLines.Line] {
        Wrapped.lines(text, width: width).map { .init($0, slot) }
    }
}
