import Foundation
import TestKit
import Testing

/// Every test of a house looks for secrets too: those that it used, in all that it left.
extension House {
    /// Searches all that was gathered, and the data folder as it lies now; each secret that is found is an issue.
    func sweepUp() {
        sweepData("at the end")
        do {
            for leak in try sweep.run().leaks { Issue.record("a secret was left: \(leak)") }
        } catch {
            Issue.record("the sweep for secrets failed: \(error)")
        }
    }

    /// Takes the data folder and the logs, as they lie now, to what is searched.
    func sweepData(_ moment: String) {
        sweep.add(folder: data, part: moment) { Self.sink(of: $0) }
        for log in logs {
            guard let text = FileManager.default.contents(atPath: log) else { continue }
            sweep.add(text, to: "log of the engine", part: "\(moment): \(log.suffix(4))")
        }
    }

    /// The kind of a file in a data folder.
    static func sink(of name: String) -> String {
        for (ending, sink) in [
            (".sqlite", "databases"), ("-wal", "write-ahead logs"), ("-shm", "write-ahead indexes"),
            (".log", "log of the engine"), (".toml", "configuration"),
        ] where name.hasSuffix(ending) {
            return sink
        }
        return name.contains("journal") ? "journals" : "other files"
    }

    /// What a command takes as a secret is looked for from then on.
    func keep(_ input: String, of arguments: [String]) {
        guard arguments.contains("--from-stdin") || arguments.contains("--passphrase-from-stdin") else {
            return
        }
        for line in input.split(separator: "\n") where line.utf8.count >= 16 {
            sweep.keep(Secret("input", Self.words(arguments), text: String(line)))
        }
    }

    /// A virtual key and a recovery key are shown once, as the last line; all else that a command says is searched.
    func keep(_ output: Tool.Output, of arguments: [String]) {
        var out = output.out
        let words = Self.words(arguments)
        let kinds = [
            "token issue": "virtual key", "token rotate": "virtual key", "vault recovery": "recovery key",
        ]
        if output.status == 0, let kind = kinds[words], !arguments.contains("--help"),
            let last = output.out.split(separator: "\n").last.map(String.init)
        {
            sweep.keep(Secret(kind, words, text: last))
            sweep.add(last, to: "shown once", part: words, expected: [kind])
            out = out.replacingOccurrences(of: last, with: "")
        }
        sweep.add(out, to: "output of commands", part: arguments.joined(separator: " "))
        sweep.add(output.err, to: "errors of commands", part: arguments.joined(separator: " "))
    }

    private static func words(_ arguments: [String]) -> String { arguments.prefix(2).joined(separator: " ") }
}
