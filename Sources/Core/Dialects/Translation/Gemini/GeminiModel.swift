/// What the name of a model tells of the words it takes.
///
/// Sources: Gemini API, "Gemini thinking" (budgets with 2.5, levels from 3 on), "Thought signatures" (checked from 3 on),
/// "Function calling" (images in results from 3 on), "File input methods" (no links with 2.0), "Structured output"
/// (together with functions from 3 on).
struct GeminiModel: Hashable, Sendable {
    enum Generation {
        /// Not a Gemini: Gemma, models that somebody tuned.
        case other
        /// Before 2.5: does not think.
        case early
        /// 2.5: thinks within a budget.
        case budget
        /// From 3 on, and names without a version, which stand for the latest: thinks by level.
        case level
    }

    let generation: Generation
    /// Whether ``Generation/level`` goes down to `MINIMAL`, which Pro, Flash from 3.7 on and 4 refuse ("Thinking level
    /// MINIMAL is not supported for this model"); `LOW` is the one that all take.
    let thinksMinimally: Bool
    /// What a budget may be (2.5 only).
    let budgets: ClosedRange<Int64>
    /// Whether thinking can be switched off (2.5 only).
    let canStopThinking: Bool

    private static let mark = "gemini-"

    init(_ name: String) {
        let last = name.utf8.split(separator: UInt8(ascii: "/")).last ?? Substring(name).utf8
        let isPro = Self.holds(last, "-pro")
        let isLite = Self.holds(last, "-lite")
        // The smallest and the largest that "Gemini thinking" gives for each.
        budgets = isPro ? 128...32_768 : isLite ? 512...24_576 : 1...24_576
        canStopThinking = !isPro
        guard last.starts(with: Self.mark.utf8) else {
            generation = .other
            thinksMinimally = false
            return
        }
        guard let (major, minor) = Self.version(last.dropFirst(Self.mark.utf8.count)) else {
            generation = .level
            thinksMinimally = isLite
            return
        }
        generation = major >= 3 ? .level : major == 2 && minor >= 5 ? .budget : .early
        thinksMinimally = Self.holds(last, "-flash") && (isLite || (major == 3 && minor < 7))
    }

    /// The numbers at the start of a text such as `2.5-flash`.
    private static func version(_ text: Substring.UTF8View) -> (major: Int, minor: Int)? {
        let parts = text.prefix { $0 != UInt8(ascii: "-") }.split(
            separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, let major = parts.first.flatMap({ Int(Substring($0)) }) else { return nil }
        guard parts.count == 2 else { return (major, 0) }
        return Int(Substring(parts[1])).map { (major, $0) }
    }

    private static func holds(_ text: Substring.UTF8View, _ word: String) -> Bool {
        var rest = text
        while rest.count >= word.utf8.count {
            if rest.starts(with: word.utf8) { return true }
            rest = rest.dropFirst()
        }
        return false
    }
}
