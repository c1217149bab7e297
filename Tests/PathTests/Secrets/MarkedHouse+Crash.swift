import Foundation
import TestKit
import Testing

/// The engine dies; what it leaves is searched, core files above all.
extension MarkedHouse {
    private var cores: String { house.folder.path + "/cores" }

    func kill() throws {
        try call(tokens[0])
        house.stop(SIGKILL)
        gather("after kill -9")
    }

    /// SIGABRT where core files would be written without bound; a program beside it shows that they would.
    func abort() throws {
        try FileManager.default.createDirectory(atPath: cores, withIntermediateDirectories: false)
        let here = "cd '\(cores)'; ulimit -c unlimited;"
        // As the README's service has it: no crash handler reads the memory either.
        house.environment["SWIFT_BACKTRACE"] = "enable=no"
        try house.start(after: here)
        try call(tokens[0])
        let engine = try #require(house.engine)
        let limit = try String(contentsOfFile: "/proc/\(engine.pid)/limits", encoding: .utf8)
            .split(separator: "\n").first { $0.hasPrefix("Max core file size") }
        #expect(limit?.split(separator: " ").filter { $0 == "0" }.count == 2, "\(limit ?? "")")
        house.stop(SIGABRT)
        #expect(engine.status == 134 && !engine.dumpedCore)
        let left = try FileManager.default.contentsOfDirectory(atPath: cores)
        #expect(left.isEmpty, "the engine left \(left)")
        gather("after an abort")
        try control(here)
    }

    /// A program that takes no care, with a secret in its memory.
    private func control(_ here: String) throws {
        let given = house.folder.path + "/given"
        try text("first").write(toFile: given, atomically: true, encoding: .utf8)
        let program = "import os, sys; key = sys.stdin.read(); os.abort()"
        let child = try Child(
            "/bin/sh", ["-c", here + " exec \"$@\"", "sh", try House.python, "-c", program], input: given)
        defer { child.end(SIGKILL) }
        try waitUntil("it dies") { child.status != nil }
        let pattern = try String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        let files = try FileManager.default.contentsOfDirectory(atPath: cores)
        print("core files go to \"\(pattern)\"; another program left \(files), the engine none")
        guard child.dumpedCore, !pattern.hasPrefix("|"), !pattern.hasPrefix("/") else { return }
        #expect(!files.isEmpty)
        for file in files {
            let core = FileManager.default.contents(atPath: cores + "/" + file) ?? Data()
            sweep.add(core, to: "another program's core", part: file, expected: ["provider key"])
        }
    }
}
