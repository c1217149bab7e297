import Yams

/// Why a file is no configuration that can be imported.
public struct ImportFailure: Error, CustomStringConvertible {
    public let description: String

    init(_ description: String) { self.description = description }
}

/// A value of a YAML file with its line and where it stands, for notes.
struct YAMLTree {
    let node: Node
    let place: String

    /// A configuration has some kilobytes; YAML's aliases could make much out of little.
    static let bytesMost = 1 << 20

    static func read(_ text: String) throws(ImportFailure) -> YAMLTree? {
        guard text.utf8.count <= bytesMost else { throw ImportFailure("the file is larger than 1 MiB") }
        do {
            guard let node = try Yams.compose(yaml: text) else { return nil }
            return YAMLTree(node: node, place: "")
        } catch {
            throw ImportFailure("the file is no YAML: \(words(error))")
        }
    }

    /// What is wrong and where, without the line itself: keys stand in such files.
    private static func words(_ error: any Error) -> String {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            "line \(mark.line): \(problem)"
        case .duplicatedKeysInMapping(_, let context): "line \(context.mark.line): a key stands twice"
        default: "it cannot be read"
        }
    }

    var line: Int { node.mark?.line ?? 0 }

    /// The members of a mapping in their order; empty for anything else.
    var members: [(key: String, value: YAMLTree)] {
        guard let mapping = node.mapping else { return [] }
        return mapping.compactMap { key, value in
            guard let key = key.scalar?.string else { return nil }
            return (key, YAMLTree(node: value, place: place.isEmpty ? key : "\(place).\(key)"))
        }
    }

    subscript(key: String) -> YAMLTree? {
        members.first { $0.key.utf8.elementsEqual(key.utf8) }?.value
    }

    var elements: [YAMLTree] {
        guard let sequence = node.sequence else { return [] }
        return sequence.enumerated().map { YAMLTree(node: $1, place: "\(place)[\($0)]") }
    }

    /// A scalar as it is written, but for nulls.
    var text: String? {
        guard let scalar = node.scalar, node.null == nil, !scalar.string.isEmpty else { return nil }
        return scalar.string
    }

    var number: Int? {
        node.scalar == nil ? nil : node.int ?? node.float.flatMap { Int(exactly: $0.rounded()) }
    }
    var flag: Bool? { node.scalar == nil ? nil : node.bool }

    /// A text, or a list of texts.
    var texts: [String] { text.map { [$0] } ?? elements.compactMap(\.text) }
}
