import Foundation
import Testing

/// What stands in the project's files besides code.
@Suite struct ProjectTextTests {
    /// One row of the README's module table.
    private struct Row: Equatable {
        let name: String
        let wing: String
        let uses: [String]
    }

    /// Rows that begin with a module in back-ticks: `| module | wing | what it is for | may enter |`.
    private func readmeRows() throws -> [Row] {
        let text = try Project.text("README.md")
        let start = try #require(text.range(of: "\n## Modules\n"), "README.md has no section 'Modules'")
        let rest = text[start.upperBound...]
        let section = rest.range(of: "\n## ").map { rest[..<$0.lowerBound] } ?? rest
        return section.split(separator: "\n").compactMap { line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { trimmed($0) }
            guard cells.count == 6, cells[1].hasPrefix("`") else { return nil }
            let uses = cells[4].split(separator: ",").map { trimmed($0) }.filter { $0 != "-" }.sorted()
            return Row(name: cells[1].replacing("`", with: ""), wing: cells[2], uses: uses)
        }
    }

    @Test func `the README's module table equals the manifest`() throws {
        let rows = try readmeRows()
        let modules = Manifest.ofThisProject.modules
        #expect(rows.map(\.name) == modules.map(\.name))
        for (row, module) in zip(rows, modules) {
            #expect(row == Row(name: module.name, wing: module.wing, uses: module.uses))
        }
    }

    @Test func `every path the README names exists`() throws {
        let text = try Project.text("README.md")
        let paths = text.matches(of: /`((?:Sources|Tests|Themes|\.ci|\.github)\/[\w.+\/-]*)`/).map {
            String($0.1)
        }
        #expect(paths.count > 20)
        for path in paths {
            #expect(
                FileManager.default.fileExists(atPath: Project.root.appending(path: path).path),
                "README.md names \(path)")
        }
    }

    @Test func `the top level holds what belongs there`() throws {
        let known: Set<String> = [
            "Package.swift", "Package.resolved", "README.md", "Sources", "Tests", "Themes",
        ]
        let entries = try FileManager.default.contentsOfDirectory(atPath: Project.root.path)
        for entry in entries where !entry.hasPrefix(".") {
            #expect(known.contains(entry), "\(entry) does not belong at the top level")
        }
    }

    @Test func `no file leans on the place it was written in`() throws {
        // Put together from pieces, or this file would be the first offender.
        let strangers = ["../" + "shared", "/" + "work/", "/tmp/" + "wt", "/ro" + "ot/"].map { Data($0.utf8) }
        for path in Project.everything {
            let bytes = try Project.bytes(path)
            for stranger in strangers where bytes.firstRange(of: stranger) != nil {
                Issue.record("\(path) mentions \(String(decoding: stranger, as: UTF8.self))")
            }
        }
    }

    @Test func `packages come from the places that everybody uses, and no file names another registry`()
        throws
    {
        let options = [
            "index-" + "url", "PIP_" + "INDEX", "GO" + "PROXY", "registry-" + "mirror", "netr" + "c",
        ]
        .map { Data($0.utf8) }
        let hosts: Set<String> = [
            "github.com", "localhost", "127.0.0.1", "api.openai.com", "api.anthropic.com",
        ]
        for path in Project.everything {
            let bytes = try Project.bytes(path)
            for option in options where bytes.firstRange(of: option) != nil {
                Issue.record("\(path) mentions \(String(decoding: option, as: UTF8.self))")
            }
            guard path == "Package.swift" || path == "README.md" || path.hasPrefix(".ci/") else { continue }
            for match in String(decoding: bytes, as: UTF8.self).matches(of: /https?:\/\/([\w.-]+)/) {
                #expect(hosts.contains(String(match.1)), "\(path) names the host \(match.1)")
            }
        }
    }

    @Test func `the README has one line that runs the tests, where the build script looks for it`() throws {
        let readme = try Project.text("README.md")
        let found = readme.matches(of: /\n<!-- test command -->\n```sh\n([^\n]+)\n```\n/)
        #expect(found.count == 1)
        #expect(found.first?.1.contains("&& swift test ") == true)
        #expect(try Project.text(".ci/run").contains("<!-- test command -->"))
    }

    @Test func `the build script installs what the README's commands install`() throws {
        let script = try Project.text(".ci/run")
        let installs = try Project.text("README.md").matches(of: /apt-get install -y ([a-z0-9 -]+[a-z0-9])/)
        #expect(installs.count >= 2)
        for package in Set(installs.flatMap { $0.1.split(separator: " ") }) {
            #expect(script.contains(package), "\(package) is missing in .ci/run")
        }
    }
}
