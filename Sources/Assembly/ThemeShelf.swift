public import Console
import FoundationEssentials
import Glibc

/// Finds theme files: by flag, in the user's config folder, beside the binary, in the working directory.
public struct ThemeShelf: Sendable {
    /// One file that was found.
    public struct Entry: Sendable, Codable {
        public let name: String
        public let path: String
        public let contrast: String
        public let problem: String
    }

    public let library: ThemeLibrary
    public let entries: [Entry]

    /// - Parameter extra: a path given by flag.
    public static func find(extra: String? = nil) -> ThemeShelf {
        var files: [(path: String, text: String)] = []
        var names: Set<String> = []
        for folder in folders {
            let names_ = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
            for name in names_.sorted() where name.hasSuffix(".theme") && names.insert(name).inserted {
                if let text = read("\(folder)/\(name)") {
                    files.append((path: "\(folder)/\(name)", text: text))
                }
            }
        }
        if let extra, extra.hasSuffix(".theme") {
            files.insert((path: extra, text: read(extra) ?? ""), at: 0)
        }
        let library = ThemeLibrary(files: files)
        return ThemeShelf(library: library, entries: entries(library))
    }

    private static func entries(_ library: ThemeLibrary) -> [Entry] {
        library.themes.map { theme in
            Entry(name: theme.name, path: theme.path, contrast: theme.contrastText, problem: "")
        } + library.problems.map { Entry(name: "-", path: $0.file, contrast: "-", problem: $0.description) }
    }

    private static var folders: [String] {
        var out: [String] = []
        if let base = Places.variable("XDG_CONFIG_HOME"), base.hasPrefix("/") {
            out.append(base + "/gatehouse/themes")
        } else if let home = Places.variable("HOME") {
            out.append(home + "/.config/gatehouse/themes")
        }
        if let binary = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe") {
            // Beside the binary, and at the package's root when it was built in place (.build/DIR/gatehouse).
            var folder = binary[...]
            for _ in 0..<4 {
                guard let slash = folder.lastIndex(of: "/") else { break }
                folder = folder[..<slash]
                out.append(folder + "/Themes")
            }
        }
        out.append("Themes")
        return out
    }

    /// At most 64 KiB: a theme has some 35 lines.
    private static func read(_ path: String) -> String? {
        guard let data = FileManager.default.contents(atPath: path), data.count <= 64 << 10 else {
            return nil
        }
        return String(decoding: data, as: UTF8.self)
    }
}
