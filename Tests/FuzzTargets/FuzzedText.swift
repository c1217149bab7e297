import Assembly
import Console

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
            let configuration = try Configuration.parse(text, file: "fuzz.toml")
            must(
                (try? Configuration.parse(text, file: "fuzz.toml")) == configuration, "read twice, it differs"
            )
        } catch {
            must(!"\(error)".isEmpty, "a problem without words")
        }
    }
}
