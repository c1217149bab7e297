import Testing

/// Every rule about source text, over every file in `Sources`.
@Suite struct SourceTextTests {
    static let rules = SourceRule.banned + [SourceRule.documented]

    @Test func `the sources are found`() {
        #expect(Project.sources.count > 100)
        #expect(Project.sources.contains { $0.path == "Sources/Engine/RequestPath.swift" })
    }

    @Test(arguments: rules)
    func `every source file keeps the rule`(rule: SourceRule) {
        Ratchet.check(Project.sources.flatMap(rule.offences), rule: rule.name)
    }

    @Test func `each entry of the ratchet names a rule and a file that exist, once`() {
        let names = Set(Self.rules.map(\.name) + ["import outside the manifest", "import outside the table"])
        let files = Set(Project.sources.map(\.path))
        for (index, entry) in Ratchet.entries.enumerated() {
            #expect(names.contains(entry.rule) && files.contains(entry.file), "\(entry)")
            #expect(!Ratchet.entries[..<index].contains(entry), "\(entry) stands there twice")
        }
    }
}

/// The rules themselves: each finds what it is for and leaves its look-alikes alone.
@Suite struct SourceRuleTests {
    private func count(_ name: String, _ text: String) throws -> Int {
        let rule = try #require(SourceTextTests.rules.first { $0.name == name })
        return rule.offences(in: SwiftText(path: "Sources/Core/Domain/Sample.swift", text: text)).count
    }

    @Test(arguments: [
        ("forced try", "let a = try! read()"), ("forced cast", "let a = b as! Int"),
        ("forced unwrap", "let a = b!"), ("forced unwrap", "let a = b[0]!.c"),
        ("forced unwrap", "let a = f()! + 1"), ("forced unwrap", "var view: View!"),
        ("forced unwrap", "let a = \"\\(b!)\""), ("forced unwrap", "let a = \"x\"!"),
        ("fatalError", "fatalError()"), ("print", "print(a)"), ("print", "    Swift.print(a)"),
        ("detached task", "Task.detached { }"), ("unbounded buffer", "bufferingPolicy: .unbounded)"),
        ("semaphore", "let a = DispatchSemaphore(value: 1)"), ("unfinished", "// TO" + "DO: more"),
        ("unfinished", "let a = 1  // FIX" + "ME"), ("commented-out code", "// let a = 1"),
        ("commented-out code", "// if a == b {"), ("commented-out code", "// }"),
        ("commented-out code", "// store.write(row)"), ("commented-out code", "// import Domain"),
        ("commented-out code", "let a = 1  // total += price"),
        ("unexplained unsafety", "final class A: @unchecked Sendable {}"),
        ("unexplained unsafety", "nonisolated(unsafe) var a = 1"),
        ("unexplained unsafety", "@preconcurrency import Domain"),
        ("package access", "@inlinable package var name: String { text }"),
        ("package access", "package import Domain"),
        ("vague name", "struct KeyManager {}"), ("vague name", "enum StringUtils {}"),
        ("type named as its module", "public enum Domain {}"),
        ("undocumented public type", "public struct Name {}"),
        ("undocumented public type", "// why\n@frozen public final class Name {}"),
        ("undocumented public type", "/// A name\npublic enum Name {}"),
    ])
    func `a rule finds its offender`(name: String, text: String) throws {
        #expect(try count(name, text) == 1)
    }

    @Test(arguments: [
        ("forced try", "let a = \"try!\"  // try! is banned"), ("forced cast", "let a = b as? Int"),
        ("forced unwrap", "guard a != b, !c, a !== b else { return }"),
        ("forced unwrap", "let a = \"Hello!\" + #\"b!\"#"),
        ("forced unwrap", "let a = \"\"\"\n  b!\n  \"\"\""),
        ("forced unwrap", "f(!a, [!b], { !$0 })"), ("forced unwrap", "/* a! /* b! */ c! */"),
        ("print", "fingerprint(a)"), ("print", "func print(_ line: String) {"), ("print", "output.print(a)"),
        ("unfinished", "let todoList = 1"), ("commented-out code", "// let the caller wait"),
        ("commented-out code", "// if the breaker is open, the target is skipped"),
        ("commented-out code", "// import order matters here"), ("commented-out code", "/// let a = 1"),
        ("commented-out code", "// RFC 9110 section 10.2.3"),
        ("commented-out code", "let a = \"// let b = 1\""),
        ("commented-out code", "// for each lane (one per event loop)"),
        (
            "unexplained unsafety",
            "// Safe because it is never written after init.\nfinal class A: @unchecked Sendable {}"
        ),
        ("unexplained unsafety", "nonisolated(unsafe) let a = 1\n// Safe because it is constant."),
        ("package access", "let package = Package(name: name, packages: [])"),
        ("vague name", "struct CommonlyUsed {}"), ("vague name", "struct Managers2 {}"),
        ("type named as its module", "public enum DomainName {}"),
        ("undocumented public type", "/// A name.\n@frozen\npublic struct Name {}"),
        ("undocumented public type", "struct Name {}\npublic func name() {}"),
        (
            "undocumented public type",
            "/// A name: what people\n/// read.\n///\n/// More.\npublic enum Name {}"
        ),
    ])
    func `a rule leaves a look-alike alone`(name: String, text: String) throws {
        #expect(try count(name, text) == 0)
    }

    @Test func `the ratchet excuses a known file, and tells when it need not any more`() {
        let entries = [Ratchet.Entry(file: "A.swift", rule: "r"), .init(file: "B.swift", rule: "r")]
        let offences = ["A.swift", "C.swift"].map { Offence(rule: "r", file: $0, line: 1, what: "") }
        let verdict = Ratchet.weigh(offences, rule: "r", entries: entries)
        #expect(verdict.fresh.map(\.file) == ["C.swift"])
        #expect(verdict.stale.map(\.file) == ["B.swift"])
    }
}
