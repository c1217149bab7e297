import Foundation

/// The project's files, found from where this file stands.
enum Project {
    /// The folder that holds `Package.swift`.
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// All Swift files below `Sources`, sorted by path, read and taken apart once.
    static let sources: [SwiftText] = files(below: "Sources", ending: ".swift").compactMap(read)

    /// Paths relative to the root of the files below a folder, sorted.
    static func files(below folder: String, ending: String = "") -> [String] {
        let start = root.appending(path: folder).path
        let found = FileManager.default.enumerator(atPath: start)?.compactMap { $0 as? String } ?? []
        return found.filter { $0.hasSuffix(ending) && isFile("\(folder)/\($0)") }.map { "\(folder)/\($0)" }
            .sorted()
    }

    /// Everything that belongs to the project: the known folders and the plain files beside the manifest.
    static let everything: [String] = {
        let folders = ["Sources", "Tests", "Themes", ".ci", ".github"].flatMap { files(below: $0) }
        let top = (try? FileManager.default.contentsOfDirectory(atPath: root.path)) ?? []
        // Package.resolved is written by the package manager and is not part of the project; .git is a file
        // in a linked worktree.
        let loose = top.filter { isFile($0) && $0 != "Package.resolved" && $0 != ".git" }
        return (folders + loose).filter { !$0.contains("__pycache__") }.sorted()
    }()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    static func bytes(_ path: String) throws -> Data {
        try Data(contentsOf: root.appending(path: path))
    }

    private static func read(_ path: String) -> SwiftText? {
        (try? text(path)).map { SwiftText(path: path, text: $0) }
    }

    private static func isFile(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(
            atPath: root.appending(path: path).path, isDirectory: &isFolder)
        return exists && !isFolder.boolValue
    }
}
