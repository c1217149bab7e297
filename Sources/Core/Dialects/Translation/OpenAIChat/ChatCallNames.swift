import Domain

/// The ids of tool calls as the provider takes them: at most 40 characters ("string too long. Expected a string with
/// maximum length 40"), or nine letters and digits ("Tool call id was … but must be a-z, A-Z, 0-9, with a length of 9").
/// They only tie results to their calls, so others are counted instead.
struct ChatCallNames {
    private static var most: Int { 40 }

    private let style: ChatQuirks.CallIDs
    private var numbers: [[UInt8]: Int] = [:]

    init(_ style: ChatQuirks.CallIDs) { self.style = style }

    mutating func written(_ id: String) throws(TranslationRefusal) -> String {
        guard !id.isEmpty else {
            throw TranslationRefusal("messages", "holds a tool call without an id: give it one")
        }
        let bytes = Array(id.utf8)
        guard !fits(bytes) else { return id }
        let number = numbers[bytes] ?? numbers.count
        numbers[bytes] = number
        switch style {
        case .short: return "call_with_long_id_\(number)"
        case .nineAlphanumerics:
            let digits = String(number)
            return "call" + String(repeating: "0", count: max(0, 5 - digits.utf8.count)) + digits
        }
    }

    private func fits(_ id: [UInt8]) -> Bool {
        switch style {
        case .short: id.count <= Self.most
        case .nineAlphanumerics: id.count == 9 && id.allSatisfy(Self.isAlphanumeric)
        }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}
