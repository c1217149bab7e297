import Console
import Domain
import Glibc
public import Logging

/// Writes the log a line at a time to one file descriptor; every value is made safe for a terminal.
public struct LineLog: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var logLevel = Logger.Level.info
    private let descriptor: Int32
    private let label: String

    public init(label: String, descriptor: Int32) {
        self.label = label
        self.descriptor = descriptor
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let all = metadata.merging(event.metadata ?? [:]) { _, new in new }
        let facts = all.sorted { $0.key < $1.key }.map {
            " \($0.key)=\(Self.quoted(SafeText.clean("\($0.value)", limit: 300)))"
        }
        let line =
            "\(SystemClock().wall) \(event.level.rawValue) \(label): \(SafeText.clean("\(event.message)", limit: 1_000))\(facts.joined())\n"
        _ =
            line.utf8.withContiguousStorageIfAvailable { write(descriptor, $0.baseAddress, $0.count) }
            ?? Array(line.utf8).withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
    }

    /// A value with blanks, quotes or an equals sign in it stands in quotes, so that it cannot pass for several.
    private static func quoted(_ text: String) -> String {
        guard text.isEmpty || text.utf8.contains(where: { " =\"\\".utf8.contains($0) }) else { return text }
        var out: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text.utf8 {
            if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { out.append(UInt8(ascii: "\\")) }
            out.append(byte)
        }
        return String(decoding: out + [UInt8(ascii: "\"")], as: UTF8.self)
    }
}
