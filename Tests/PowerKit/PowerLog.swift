package import Domain

/// What was asked of a disk, in order, and what was acknowledged meanwhile.
package struct PowerLog: Sendable {
    /// One step. Files are named as they are within the folder.
    package enum Step: Sendable {
        case made(String)
        case write(String, at: Int, [UInt8])
        case truncate(String, to: Int)
        case sync(String)
        /// Durable at once: names are the journal's of the file system, which keeps its order.
        case removed(String)
        /// So many verbs have returned.
        case acknowledged(Int)
    }

    package private(set) var steps: [Step] = []

    mutating func add(_ step: Step) { steps.append(step) }

    /// As it would be if nobody waited for the write-ahead log, as `synchronous=NORMAL` does not.
    package func withoutSyncsOfLogs() -> PowerLog {
        var log = self
        log.steps.removeAll { if case .sync(let file) = $0 { file.hasSuffix("-wal") } else { false } }
        return log
    }
}

/// The files of a folder as a disk has them that was given a log's first steps.
package struct PowerDisk {
    private var durable: [String: [UInt8]] = [:]
    private var pending: [String: [PowerLog.Step]] = [:]
    package private(set) var acknowledged = 0

    package init() {}

    private static let sector = 512

    package mutating func take(_ step: PowerLog.Step) {
        switch step {
        case .made(let file): if durable[file] == nil { durable[file] = [] }
        case .write(let file, _, _), .truncate(let file, _): pending[file, default: []].append(step)
        case .sync(let file):
            for step in pending.removeValue(forKey: file) ?? [] {
                Self.apply(step, to: &durable[file, default: []])
            }
        case .removed(let file):
            durable[file] = nil
            pending[file] = nil
        case .acknowledged(let count): acknowledged = count
        }
    }

    /// What is left when the power goes: all that was flushed, and of the rest whatever reached the disk by chance, each
    /// step whole, not at all, or some of its sectors.
    package func cut(_ random: inout SplitMix) -> [String: [UInt8]] {
        var files = durable
        for (file, steps) in pending.sorted(by: { $0.key < $1.key }) {
            // At times nothing that was not flushed, at times all of it: mixtures alone would seldom be either.
            let mood = Int.random(in: 0..<4, using: &random)
            for step in steps where mood != 0 {
                let fate = mood == 1 ? 0 : Int.random(in: 0..<3, using: &random)
                if fate == 0 { Self.apply(step, to: &files[file, default: []]) }
                guard fate == 1, case .write(_, let start, let bytes) = step else { continue }
                for place in Self.sectors(start, bytes.count) where Bool.random(using: &random) {
                    let part = Array(bytes[(place.lowerBound - start)..<(place.upperBound - start)])
                    Self.apply(.write(file, at: place.lowerBound, part), to: &files[file, default: []])
                }
            }
        }
        return files
    }

    private static func sectors(_ start: Int, _ count: Int) -> [Range<Int>] {
        var parts: [Range<Int>] = []
        var from = start
        while from < start + count {
            let end = min(start + count, (from / sector + 1) * sector)
            parts.append(from..<end)
            from = end
        }
        return parts
    }

    private static func apply(_ step: PowerLog.Step, to file: inout [UInt8]) {
        switch step {
        case .write(_, let start, let bytes):
            if file.count < start + bytes.count {
                file += [UInt8](repeating: 0, count: start + bytes.count - file.count)
            }
            file.replaceSubrange(start..<(start + bytes.count), with: bytes)
        case .truncate(_, let size): file.removeLast(max(0, file.count - size))
        default: break
        }
    }
}
