import Console

// libFuzzer's build has the configuration's language alone, among these sources: its keys need every module there is.
#if !FUZZING
    import Assembly
#endif

/// Files that an operator writes.
enum FuzzedText {
    static let themes = [
        "name = night\nbackground = #101010, 233, black, normal\ntext=#ffffff,,white\n# words\n",
        "status.bad = #ff0000, 196, bright-red, bold\r\nborder = , , ,\n",
    ].map { Array($0.utf8) }

    static let configurations = [
        """
        listen = "127.0.0.1:8080"
        [vault]
        unlock = "key-file"
        path = '/etc/gatehouse/key'
        [[provider]]
        name = "openai"
        kind = "openai"
        [[route]]
        model = "smart"
        targets = ["openai/gpt", { target = "b/c", weight = 3 }]
        """,
        "a.b.\"c\" = 1_000\n[t]\nx = [1, 2.5, true, \"\\u00e9\"]\ny = {p = 1979-05-27T07:32:00Z}\n",
        "s = \"\"\"\nmany\\\n  lines\"\"\"\nl = '''raw'''\n",
    ].map { Array($0.utf8) }

    static func theme(_ bytes: UnsafeRawBufferPointer) {
        let text = String(decoding: bytes, as: UTF8.self)
        do throws(ThemeProblem) {
            _ = try ThemeParser.parse(text, path: "fuzz.theme")
        } catch {
            must(error.line >= 0 && !error.what.isEmpty, "a problem without its place")
        }
    }

    static func configuration(_ bytes: UnsafeRawBufferPointer) {
        let text = String(decoding: bytes, as: UTF8.self)
        do throws(ConfigurationProblem) {
            #if FUZZING
                try walk(ConfigurationReader(text: text, file: "fuzz.toml"), depth: 0)
            #else
                let configuration = try Configuration.parse(text, file: "fuzz.toml")
                must(
                    (try? Configuration.parse(text, file: "fuzz.toml")) == configuration,
                    "read twice, it differs")
            #endif
        } catch {
            must(!"\(error)".isEmpty, "a problem without words")
        }
    }

    #if FUZZING
        /// Asks every key for every kind of value.
        private static func walk(
            _ reader: ConfigurationReader, depth: Int
        ) throws(ConfigurationProblem) {
            guard depth < 64 else { return }
            for key in reader.table.keys {
                let line = reader.table.line(of: key)
                must(line > 0, "a key without its line")
                _ = try? reader.string(key)
                _ = try? reader.flag(key, default: false)
                _ = try? reader.number(key, in: 0...100, default: 1)
                _ = try? reader.duration(key, in: 1...3_600)
                _ = try? reader.strings(key)
                _ = try? reader.numbers(key, in: 0...100)
                if let inner = try? reader.section(key) { try walk(inner, depth: depth + 1) }
                for inner in (try? reader.sections(key)) ?? [] { try walk(inner, depth: depth + 1) }
            }
            try reader.allow(["vault", "provider", "route", "name", "kind"])
        }
    #endif
}
