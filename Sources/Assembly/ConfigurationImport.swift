import FoundationEssentials
import Glibc
public import Imports
import Operations

/// Brings another gateway's configuration into ours: reads it, checks what comes out, and writes only what our own reader
/// takes.
public enum ConfigurationImport {
    /// What an import found and did.
    public struct Outcome: Sendable, Codable {
        public let providers: Int
        public let routes: Int
        /// The text for the configuration.
        public let text: String
        public let notes: [ImportedConfiguration.Note]
        public let commands: [String]
        /// nil where nothing was written.
        public let written: String?

        /// The notes, a line each.
        public var sentences: [String] { notes.map { "line \($0.line) \($0.place): \($0.what)" } }
    }

    /// - Parameter values: `NAME=VALUE`, for variables that hold addresses, versions or regions.
    public static func liteLLM(
        _ path: String, values: [String], into places: Places, dryRun: Bool
    ) async throws -> Outcome {
        if !dryRun { try await OperatorSession.admit(.configImport, on: places.config, places) }
        var known: [String: String] = [:]
        for pair in values {
            guard let sign = pair.firstIndex(of: "="), sign != pair.startIndex else {
                throw CommandFailure("--value takes NAME=VALUE, not \(pair)", code: 2)
            }
            known[String(pair[..<sign])] = String(pair[pair.index(after: sign)...])
        }
        let given = try text(of: path)
        let read: ImportedConfiguration
        do throws(ImportFailure) { read = try LiteLLMImport.read(given, values: known) } catch {
            throw CommandFailure("\(path): \(error)")
        }
        let added = read.toml(from: path)
        let old = access(places.config, F_OK) == 0 ? try text(of: places.config) : ""
        let whole = old + added
        do throws(ConfigurationProblem) {
            _ = try Configuration.parse(whole, file: places.config)
        } catch {
            guard dryRun else {
                throw CommandFailure(
                    "with what was imported \(places.config) could not be read, so nothing was written: \(error)"
                )
            }
            Output.complain("together with \(places.config) this could not be read: \(error)")
        }
        if !dryRun { try replace(places.config, with: whole) }
        return Outcome(
            providers: read.providers.count, routes: read.routes.count, text: added, notes: read.notes,
            commands: read.commands, written: dryRun ? nil : places.config)
    }

    private static func text(of path: String) throws -> String {
        guard let data = FileManager.default.contents(atPath: path) else {
            throw CommandFailure("\(path) cannot be read")
        }
        guard data.count <= 1 << 20, let text = String(validating: data, as: UTF8.self) else {
            throw CommandFailure("\(path) is no UTF-8 text of 1 MiB at most")
        }
        return text
    }

    /// Whole or not at all: a running engine may read it at any moment.
    private static func replace(_ path: String, with text: String) throws {
        let new = path + ".new"
        unlink(new)
        let descriptor = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { throw CommandFailure("cannot write \(new)") }
        defer { close(descriptor) }
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw CommandFailure("cannot write \(new)") }
            rest = rest.dropFirst(count)
        }
        guard fsync(descriptor) == 0, rename(new, path) == 0 else {
            throw CommandFailure("cannot put \(new) in the place of \(path)")
        }
    }
}
