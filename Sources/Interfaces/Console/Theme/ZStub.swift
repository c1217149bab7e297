package import Domain
package struct RGB: Sendable, Hashable { package let red, green, blue: UInt8 }
package struct ThemeColour: Sendable, Hashable { package var rgb: RGB?; package var index256: Int?; package var name16: Int?; package var isDefault: Bool }
package struct MonoAttributes: OptionSet, Sendable { package let rawValue: Int; package init(rawValue: Int) { self.rawValue = rawValue }
 package static let bold = Self(rawValue: 1), dim = Self(rawValue: 2), reverse = Self(rawValue: 4), underline = Self(rawValue: 8) }
package struct Theme: Sendable { package let name: String; package let path: String; package var contrastText: String { "" }; package var isMono: Bool { false }
 package func colour(of slot: Slot) -> ThemeColour { ThemeColour(rgb: nil, index256: nil, name16: nil, isDefault: true) }
 package func mono(of slot: Slot) -> MonoAttributes { [] }
 package static let builtIn = Theme(name: "ops-dark", path: "") }
package struct ThemeProblem: Error, CustomStringConvertible { package let file: String; package let line: Int; package let slot: String; package let description: String }
package struct ThemeLibrary: Sendable { package init(files: [(path: String, text: String)]) {} ; package var themes: [Theme] { [.builtIn] }; package var problems: [ThemeProblem] { [] }
 package func theme(named: String) -> Theme? { nil }; package func next(after: String) -> Theme { .builtIn } }
package struct InputDecoder: Sendable { package init() {}; package mutating func feed(_ byte: UInt8, at now: Instant) -> [Input] { byte == 113 ? [.key(.character("q"))] : [] }; package mutating func idle(at now: Instant) -> [Input] { [] }; package var isWaiting: Bool { false } }
