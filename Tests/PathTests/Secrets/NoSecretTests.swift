import Foundation
import TestKit
import TestTraits
import Testing

/// One walk through everything the program does, with a mark in the place of each secret, and a search of all that was
/// left anywhere.
@Suite(.serialized, .ownThread) struct NoSecretTests {
    /// Kinds of places that the walk has to have filled: a sink that nobody filled shows nothing.
    private static let sinks = [
        "output of commands", "errors of commands", "log of the engine", "databases", "write-ahead logs",
        "journals", "configuration", "backups", "exports, checkpoints", "engine's socket", "screens",
        "bytes to the terminal", "answers to callers", "command lines", "environments", "names of files",
    ]

    @Test func `no secret stands in any sink, whatever the program was asked to do`() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        let marked = try MarkedHouse(seed: seed)
        let house = marked.house
        let clock = ContinuousClock()
        var took: [String] = []
        func step(_ name: String, _ body: () throws -> Void) rethrows {
            let start = clock.now
            try body()
            took.append("\(name) \((clock.now - start).components.seconds) s")
        }
        try step("vault and tenants") {
            try marked.outsideKeys()
            try marked.configure()
            try marked.furnish()
            try house.start()
        }
        try step("calls") {
            for token in marked.tokens { try marked.call(token) }
            try marked.callEchoes()
            try marked.callWrongly()
        }
        try step("commands") {
            try marked.act()
            try marked.list()
            try marked.misuse()
            try marked.importOther()
            try marked.gatherSocket("after calls")
            marked.gather("after calls")
        }
        try step("rotations") {
            try marked.rotate()
            try marked.lockAndUnlock()
            try marked.call(marked.tokens[0])
            try marked.copies()
            marked.gather("after rotations")
        }
        try step("crashes") {
            try marked.kill()
            try marked.abort()
        }
        try step("restore") { try marked.restore() }
        try step("console") {
            try marked.configure(unlock: "unlock = \"passphrase\"")
            try marked.console()
        }
        try step("deletion") {
            try marked.configure()
            try house.start()
            try house.command(["tenant", "delete", "beta", "--confirm", "beta", "--reason", "test"])
            house.stop(SIGTERM)
            marked.gather("at the end")
            try marked.gatherProcesses()
        }
        print("no secret: \(took.joined(separator: ", "))")
        let found = try marked.sweep.run()
        print(
            "no secret in any sink, seed \(seed): \(found.parts) parts, \(found.bytes) bytes, 0 wanted but in ( )"
        )
        print(found.table)
        #expect(found.leaks.isEmpty, "\(found.leaks.prefix(20).joined(separator: "\n"))")
        #expect(found.missing.isEmpty, "\(found.missing)")
        for sink in Self.sinks {
            let isFilled = found.table.contains("\n\(sink) ")
            #expect(isFilled, "nothing was gathered from \(sink)")
        }
    }
}
