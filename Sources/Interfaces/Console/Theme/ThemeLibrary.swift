/// The themes that were found, and what is wrong with the files that hold none.
public struct ThemeLibrary: Sendable {
    public let themes: [Theme]
    public let problems: [ThemeProblem]

    /// The first file of a name wins; the theme compiled in is always there.
    public init(files: [(path: String, text: String)]) {
        var themes: [Theme] = []
        var problems: [ThemeProblem] = []
        for file in files {
            do throws(ThemeProblem) {
                let theme = try ThemeParser.parse(file.text, path: file.path)
                if !themes.contains(where: { $0.name == theme.name }) { themes.append(theme) }
            } catch {
                problems.append(error)
            }
        }
        if !themes.contains(where: { $0.name == Theme.builtIn.name }) { themes.insert(Theme.builtIn, at: 0) }
        self.themes = themes
        self.problems = problems
    }

    /// By name, or by the path of its file.
    public func theme(named name: String) -> Theme? {
        themes.first { $0.name == name || (!name.isEmpty && $0.path == name) }
    }

    /// The one after, and after the last the first.
    public func next(after name: String) -> Theme {
        guard let index = themes.firstIndex(where: { $0.name == name }) else {
            return themes.first ?? Theme.builtIn
        }
        return themes[(index + 1) % themes.count]
    }
}
