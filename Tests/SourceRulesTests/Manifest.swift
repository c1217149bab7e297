import Foundation

/// What `Package.swift` says about the modules, read from its text.
struct Manifest {
    struct Module: Equatable {
        let name: String
        /// The folder below `Sources` that holds the module's folder; "-" for those that stand alone.
        let wing: String
        /// Names of modules and of outside products, sorted.
        let uses: [String]
        /// The folder with its files.
        var folder: String { wing == "-" ? "Sources/\(name)" : "Sources/\(wing)/\(name)" }
    }

    /// Every target with code of ours, in the manifest's order; C libraries and tests are apart.
    let modules: [Module]
    let libraries: [String]
    let tests: [String]

    init(_ text: String) {
        let manifest = SwiftText(path: "Package.swift", text: text)
        let products = Self.products(in: manifest)
        var modules: [Module] = []
        var libraries: [String] = []
        var tests: [String] = []
        for call in Self.calls(in: manifest) {
            // What tests share, and the benchmarks: no program enters them.
            guard
                !call.text.contains("path: \"Tests/\(call.name)\"")
                    && !call.text.contains("path: \"Tests/Benchmarks\"")
            else { continue }
            switch call.function {
            case "library": libraries.append(call.name)
            case "tests": tests.append(call.name)
            case "module":
                let wing = call.text.firstMatch(of: /in: "(\w+)"/).map { String($0.1) } ?? "?"
                modules.append(.init(name: call.name, wing: wing, uses: call.list("uses", products)))
            default:
                modules.append(.init(name: call.name, wing: "-", uses: call.list("dependencies", products)))
            }
        }
        self.modules = modules
        self.libraries = libraries
        self.tests = tests
    }

    static let ofThisProject: Manifest = Manifest((try? Project.text("Package.swift")) ?? "")

    func module(_ name: String) -> Module? { modules.first { $0.name == name } }

    /// The module that a file below `Sources` belongs to.
    func module(of path: String) -> Module? { modules.first { path.hasPrefix($0.folder + "/") } }

    private struct Call {
        let function: String
        let name: String
        let text: String

        /// The names in `label: [ ... ]`, variables replaced by the product they stand for.
        func list(_ label: String, _ products: [String: String]) -> [String] {
            guard let start = text.range(of: "\(label): ["),
                let end = text[start.upperBound...].firstIndex(of: "]")
            else { return [] }
            return text[start.upperBound..<end].split(separator: ",").map {
                let word = $0.trimmingCharacters(in: .whitespacesAndNewlines)
                return word.hasPrefix("\"") ? word.trimmingCharacters(in: ["\""]) : products[word] ?? word
            }.filter { !$0.isEmpty }.sorted()
        }
    }

    /// The targets: every call of a target function whose first argument is a literal name.
    private static func calls(in manifest: SwiftText) -> [Call] {
        let text = String(decoding: manifest.withoutComments, as: UTF8.self)
        let start = /(module|library|tests|\.target|\.executableTarget)\(\s*(?:name:\s*)?"(\w+)"/
        return text.matches(of: start).map { match in
            let from = text.utf8.distance(from: text.startIndex, to: match.range.lowerBound)
            return Call(
                function: String(match.1), name: String(match.2),
                text: balanced(from: from, in: manifest))
        }
    }

    /// The text from a place to the parenthesis that closes the first one opened there.
    private static func balanced(from: Int, in manifest: SwiftText) -> String {
        var depth = 0
        for index in from..<manifest.code.count {
            if manifest.code[index] == UInt8(ascii: "(") { depth += 1 }
            if manifest.code[index] == UInt8(ascii: ")") {
                depth -= 1
                if depth == 0 {
                    return String(decoding: manifest.withoutComments[from...index], as: UTF8.self)
                }
            }
        }
        return ""
    }

    /// Variables that stand for outside products: `nioCore` is `NIOCore`.
    private static func products(in manifest: SwiftText) -> [String: String] {
        let text = String(decoding: manifest.withoutComments, as: UTF8.self)
        let line = /let (\w+) = Target\.Dependency\.product\(name: "(\w+)"/
        return text.matches(of: line).reduce(into: [:]) { $0[String($1.1)] = String($1.2) }
    }
}
