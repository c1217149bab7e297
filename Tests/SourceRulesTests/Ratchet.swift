import Testing

/// Offenders that were there before their rule. This list may only get shorter: an entry whose file keeps the
/// rule again is an error too, and nothing is ever added.
enum Ratchet {
    struct Entry: Equatable {
        let file: String
        let rule: String
    }

    static let entries: [Entry] = []

    /// The offences that are not excused, and the entries that excuse nothing any more.
    static func weigh(
        _ offences: [Offence], rule: String, entries: [Entry] = entries
    ) -> (fresh: [Offence], stale: [Entry]) {
        let mine = entries.filter { $0.rule == rule }
        let fresh = offences.filter { offence in !mine.contains { $0.file == offence.file } }
        let stale = mine.filter { entry in !offences.contains { $0.file == entry.file } }
        return (fresh, stale)
    }

    /// Reports each offence that is not excused, and each entry that excuses nothing.
    static func check(_ offences: [Offence], rule: String) {
        let verdict = weigh(offences, rule: rule)
        for offence in verdict.fresh { Issue.record("\(offence)") }
        for entry in verdict.stale {
            Issue.record("\(entry.file) keeps '\(entry.rule)' again: drop its entry")
        }
    }
}
