import ArgumentParser
import Assembly
import Domain
import Operations

/// Where a secret comes from.
struct SecretSource: ParsableArguments {
    @Flag(name: .customLong("from-stdin"), help: "Read the secret from standard input instead of asking.")
    var fromStdin = false

    func read(_ prompt: String) throws -> SecretDraft {
        do {
            return fromStdin ? try SecretInput.fromStandardInput() : try SecretInput.ask(prompt)
        } catch {
            throw CommandFailure(error)
        }
    }
}

/// A duration such as `30s`, `10m`, `2h`, `7d`; a plain number is seconds.
struct Seconds: ExpressibleByArgument {
    let count: Int

    init(_ count: Int) { self.count = count }

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        let unit = argument.last.flatMap { units[$0] }
        let digits = unit == nil ? argument[...] : argument.dropLast()
        guard let number = Int(digits), number >= 0, number <= 366 * 86_400 else { return nil }
        count = number * (unit ?? 1)
    }

    var defaultValueDescription: String { "\(count)s" }
}

extension OperatorSession {
    /// Finds a provider key by its id or by an unambiguous beginning of it.
    func providerKey(_ text: String) async throws -> ProviderKeyID {
        try Self.find(text, among: try await picture().providerKeys.map(\.id), what: "key")
    }

    /// Finds a virtual key by its id or by an unambiguous beginning of it.
    func virtualKey(_ text: String) async throws -> VirtualKeyID {
        try Self.find(text, among: try await picture().virtualKeys.map(\.id), what: "token")
    }

    private static func find<Kind>(
        _ text: String, among ids: [Identifier<Kind>], what: String
    ) throws -> Identifier<Kind> {
        guard text.utf8.count >= 4 else {
            throw CommandFailure("name the \(what) by at least 4 digits of its id")
        }
        let found = ids.filter { $0.text.hasPrefix(text) }
        guard let first = found.first else {
            throw CommandFailure("there is no \(what) \(text); see: gatehouse \(what) list")
        }
        guard found.count == 1 else {
            throw CommandFailure("\(found.count) \(what)s begin with \(text); give more digits")
        }
        return first
    }
}
