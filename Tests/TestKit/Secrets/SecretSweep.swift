package import Foundation

/// All that a program left anywhere, and whether secrets stand in it.
package final class SecretSweep {
    /// Where something is left: a kind of file, a screen, answers.
    private struct Sink {
        let name: String
        var parts: [(name: String, data: Data)] = []
        var bytes = 0
        /// Kinds of secrets that belong here, and so have to be found.
        var expected: Set<String> = []
    }

    private var secrets: [Secret] = []
    private var sinks: [Sink] = []
    private let window: Int
    /// How much may be gathered, and how many secrets; what comes after is left out.
    private let most: (bytes: Int, secrets: Int)
    private var gathered = 0

    package init(window: Int = 8, most: (bytes: Int, secrets: Int) = (512 << 20, 1_000)) {
        (self.window, self.most) = (window, most)
    }

    /// From now on looked for, also in what was added before.
    package func keep(_ secret: Secret) {
        guard secrets.count < most.secrets, !secrets.contains(where: { $0.bytes == secret.bytes }) else {
            return
        }
        secrets.append(secret)
    }

    /// - Parameters:
    ///   - part: names the place within the sink, for whoever looks for what was found.
    ///   - expected: kinds of secrets that belong into this sink, and have to be found there.
    package func add(_ data: Data, to sink: String, part: String, expected: Set<String> = []) {
        let kept = data.count > 1 << 20 ? Self.withoutZeros(data) : data
        guard !kept.isEmpty, gathered + kept.count <= most.bytes else { return }
        gathered += kept.count
        let place = sinks.firstIndex { $0.name == sink } ?? sinks.endIndex
        if place == sinks.endIndex { sinks.append(Sink(name: sink)) }
        sinks[place].parts.append((part, kept))
        sinks[place].bytes += data.count
        sinks[place].expected.formUnion(expected)
    }

    package func add(
        _ text: String, to sink: String, part: String, expected: Set<String> = []
    ) {
        add(Data(text.utf8), to: sink, part: part, expected: expected)
    }

    /// Files that were made long beforehand are mostly zeros, in which no secret stands.
    private static func withoutZeros(_ data: Data) -> Data {
        let (block, zeros) = (4_096, Data(count: 4_096))
        var out = Data()
        for start in stride(from: data.startIndex, to: data.endIndex, by: block) {
            let piece = data[start..<min(start + block, data.endIndex)]
            if piece.count < block || piece != zeros { out += piece }
        }
        return out
    }

    /// Every file below a folder as it lies now, each in the sink that its name belongs to.
    package func add(folder: String, part: String, sink: (String) -> String?) {
        for case let name as String in FileManager.default.enumerator(atPath: folder) ?? .init() {
            guard let sink = sink(name) else { continue }
            let path = folder + "/" + name
            add(Data(path.utf8), to: "names of files", part: part)
            guard let facts = try? FileManager.default.attributesOfItem(atPath: path),
                facts[.type] as? FileAttributeType == .typeRegular,
                let data = try? Data(contentsOf: URL(fileURLWithPath: path))
            else { continue }
            add(data, to: sink, part: "\(part): \(name)")
        }
    }

    /// What a sweep found.
    package struct Result: Sendable {
        /// A line for each sink, a column for each kind of secret.
        package var table: String
        /// Secrets where they do not belong, a line each; empty is what is wanted.
        package var leaks: [String]
        /// Kinds that a sink should hold and does not: what was searched is not what was meant to be.
        package var missing: [String]
        package var bytes: Int
        package var parts: Int
    }

    package func run() throws -> Result {
        let search = SecretSearch(secrets, window: window)
        let kinds = secrets.reduce(into: [String]()) { if !$0.contains($1.kind) { $0.append($1.kind) } }
        var result = Result(table: "", leaks: [], missing: [], bytes: 0, parts: 0)
        var lines = [["sink", "parts", "bytes"] + kinds]
        for sink in sinks {
            var found: [String: Int] = [:]
            for part in sink.parts {
                for (number, hit) in try Self.hits(search, in: part.data) {
                    let secret = secrets[number]
                    found[secret.kind, default: 0] += hit.count
                    guard !sink.expected.contains(secret.kind) else { continue }
                    result.leaks.append(
                        "\(secret.kind) (\(secret.name)), \(hit.form.rawValue), in \(sink.name), "
                            + "\(part.name): \(hit.near)")
                }
            }
            for kind in sink.expected.sorted() where found[kind] == nil {
                result.missing.append("\(kind) is not in \(sink.name)")
            }
            lines.append(
                [sink.name, "\(sink.parts.count)", "\(sink.bytes)"]
                    + kinds.map { kind in
                        sink.expected.contains(kind) ? "(\(found[kind] ?? 0))" : "\(found[kind] ?? 0)"
                    })
            result.bytes += sink.bytes
            result.parts += sink.parts.count
        }
        result.table = Self.aligned(lines)
        return result
    }

    private typealias Found = (count: Int, form: SecretForm, near: String)

    /// By secret: the reading that shows most of it.
    private static func hits(_ search: SecretSearch, in data: Data) throws -> [Int: Found] {
        var found: [Int: Found] = [:]
        for view in try SinkView.all(of: data) {
            for (secret, hits) in Dictionary(grouping: search.hits(in: view), by: \.secret)
            where hits.count > found[secret]?.count ?? 0 {
                found[secret] = (hits.count, hits[0].form, near(hits[0].offset, in: view))
            }
        }
        return found
    }

    /// What stands around a place, for the report.
    private static func near(_ offset: Int, in data: Data) -> String {
        let part = data.dropFirst(max(0, offset - 40)).prefix(96)
        return String(decoding: part.map { (0x20..<0x7f).contains($0) ? $0 : 0x2e }, as: UTF8.self)
    }

    private static func aligned(_ lines: [[String]]) -> String {
        let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
        return lines.map { line in
            line.enumerated().map { column, text in
                let space = String(repeating: " ", count: widths[column] - text.count)
                return column == 0 ? text + space : space + text
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
