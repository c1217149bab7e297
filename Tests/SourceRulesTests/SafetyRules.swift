extension SourceRule {
    /// What no source file may hold.
    static let banned: [SourceRule] = [
        .line("forced try", instead: "handle the error") { contains("try!", in: $0) },
        .line("forced cast", instead: "use as? and handle nil") { contains("as!", in: $0) },
        .line("forced unwrap", instead: "use guard let", forcesUnwrap),
        .line("fatalError", instead: "throw; preconditionFailure is for our own bugs") {
            contains("fatalError", in: $0)
        },
        .line("print", instead: "write through Output or the log", callsPrint),
        .line("detached task", instead: "keep tasks structured") { contains("Task.detached", in: $0) },
        .line("unbounded buffer", instead: "give the buffer a size") { contains(".unbounded", in: $0) },
        .line("semaphore", instead: "await, or hand the work to the thread that owns it") {
            contains("DispatchSemaphore", in: $0)
        },
        // The optimizer takes no body of a `package` declaration into another module, `@inlinable` or not: measured,
        // a tenth of what a call costs.
        .line(
            "package access", instead: "between modules write public, which the optimizer sees through",
            hasPackageAccess),
        unfinished, sleepingCode, unexplained, vagueName, moduleName,
    ]

    /// A postfix `!`: right behind a value, and not the start of `!=`.
    @Sendable private static func forcesUnwrap(_ code: String) -> Bool {
        let line = Array(code.utf8)
        let ends = Array(")]}>\"`?".utf8)
        let words = ["try", "as"].map { Array($0.utf8) }
        return line.indices.contains { index in
            guard line[index] == UInt8(ascii: "!"), index > 0 else { return false }
            guard index + 1 == line.count || line[index + 1] != UInt8(ascii: "=") else { return false }
            let before = line[index - 1]
            guard isIdentifier(before) || ends.contains(before) else { return false }
            let word = line[..<index].reversed().prefix { isIdentifier($0) }.reversed()
            return !words.contains { $0.elementsEqual(word) }
        }
    }

    /// The global function; a method or a declaration of that name is something else.
    @Sendable private static func callsPrint(_ code: String) -> Bool {
        let line = Array(code.utf8)
        return ["print(", "debugPrint(", "Swift.print("].contains { call in
            occurrences(of: call, in: code).contains { start in
                let before = String(decoding: line[..<start], as: UTF8.self)
                return !before.hasSuffix(".") && !before.hasSuffix("func ")
            }
        }
    }

    @Sendable private static func hasPackageAccess(_ code: String) -> Bool {
        let words = trimmed(code).split(separator: " ")
        return words.indices.contains { place in
            words[place] == "package" && (place == 0 || !["let", "var"].contains(words[place - 1]))
        }
    }

    private static let unfinished = SourceRule(name: "unfinished", instead: "finish it or leave it out") {
        file in
        let marks = ["TO" + "DO", "FIX" + "ME", "X" + "XX"]
        return file.lines.filter { line in marks.contains { contains($0, in: line.raw) } }
            .map { ($0.number, trimmed($0.raw)) }
    }

    private static let sleepingCode = SourceRule(
        name: "commented-out code", instead: "delete it, the history keeps it"
    ) { file in
        let detector = CommentedOutCode()
        return file.lines.filter { detector.matches($0.comment) }.map { ($0.number, trimmed($0.comment)) }
    }

    private static let unexplained = SourceRule(
        name: "unexplained unsafety", instead: "say `// Safe because` directly above or below"
    ) { file in
        let words = ["@unchecked Sendable", "nonisolated(unsafe)", "@preconcurrency", "unowned(unsafe)"]
        return file.lines.indices.filter { index in
            guard words.contains(where: { contains($0, in: file.lines[index].code) }) else { return false }
            let near = file.lines[max(0, index - 3)...min(file.lines.count - 1, index + 3)]
            return !near.contains { $0.comment.hasPrefix("// Safe because") }
        }.map { (file.lines[$0].number, trimmed(file.lines[$0].raw)) }
    }

    private static let vagueName = SourceRule(name: "vague name", instead: "name it after what it does") {
        file in
        let stem = file.path.split(separator: "/").last.map { String($0.dropLast(".swift".count)) } ?? ""
        let ofFile = isVague(stem) ? [(1, stem)] : []
        return ofFile + declaredTypes(in: file).filter { isVague($0.name) }.map { ($0.line, $0.name) }
    }

    /// One of the words that say nothing, as a whole word of a name in camel case.
    static func isVague(_ name: String) -> Bool {
        let words = ["Utils", "Util", "Helpers", "Helper", "Common", "Misc", "Manager"]
        return words.contains { word in
            name.ranges(of: word).contains { range in
                range.upperBound == name.endIndex || !name[range.upperBound].isLowercase
            }
        }
    }

    private static let moduleName = SourceRule(
        name: "type named as its module", instead: "the module could not be named any more"
    ) { file in
        let module = Manifest.ofThisProject.module(of: file.path)?.name
        return declaredTypes(in: file).filter { $0.name == module }.map { ($0.line, $0.name) }
    }
}

/// A type that a file declares.
struct DeclaredType {
    let name: String
    let line: Int
    let isPublic: Bool
}

/// The types that a file declares, nested ones too; `public` as the declaration itself says it.
func declaredTypes(in file: SwiftText) -> [DeclaredType] {
    let kinds: Set<String> = ["struct", "class", "enum", "actor", "protocol"]
    let leading: Set<String> = [
        "private", "fileprivate", "internal", "public", "final", "indirect", "nonisolated",
    ]
    return file.lines.compactMap { line in
        let words = trimmed(line.code).split(separator: " ").map(String.init)
            .drop { leading.contains($0) || $0.hasPrefix("@") }
        // `class func` and `class var` are members.
        guard let kind = words.first, kinds.contains(kind), words.count > 1,
            let next = words.dropFirst().first,
            next != "func", next != "var"
        else { return nil }
        let name = String(next.prefix { $0.isLetter || $0.isNumber || $0 == "_" })
        return DeclaredType(name: name, line: line.number, isPublic: contains("public", in: line.code))
    }
}
