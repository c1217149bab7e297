import Testing

/// The import arrows: the sources against the manifest, and both against a table that the manifest cannot move.
@Suite struct ImportTests {
    struct Import {
        let file: String
        let line: Int
        let module: Manifest.Module
        let name: String
        var place: String { "\(file):\(line): \(module.name) imports \(name)" }

        func offence(_ rule: String) -> Offence {
            Offence(rule: rule, file: file, line: line, what: "\(module.name) imports \(name)")
        }
    }

    static let manifest = Manifest.ofThisProject

    static let imports: [Import] = Project.sources.flatMap { file -> [Import] in
        guard let module = manifest.module(of: file.path) else { return [] }
        return importedNames(in: file).map {
            .init(file: file.path, line: $0.line, module: module, name: $0.name)
        }
    }

    /// The module named by each import line, whatever stands before the word and behind the module's name.
    static func importedNames(in file: SwiftText) -> [(line: Int, name: String)] {
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var"]
        let before: Set<String> = ["public", "package", "internal", "private", "fileprivate"]
        return file.lines.compactMap { line in
            var words = trimmed(line.code).split(separator: " ").map(String.init)[...]
            words = words.drop { before.contains($0) || $0.hasPrefix("@") }
            guard words.first == "import" else { return nil }
            guard let name = words.dropFirst().drop(while: { kinds.contains($0) }).first else { return nil }
            return (line.number, String(name.prefix { $0 != "." }))
        }
    }

    @Test func `the manifest is read`() throws {
        #expect(Self.manifest.modules.count >= 20)
        #expect(Self.manifest.libraries.contains("CLibCrypto"))
        #expect(Self.imports.count > 300)
        let gateway = try #require(Self.manifest.module("Gateway"))
        #expect(gateway.wing == "Interfaces" && gateway.uses.contains("NIOCore"))
        #expect(Self.manifest.module("Engine")?.wing == "-")
    }

    @Test func `every source file belongs to a module of the manifest`() {
        for file in Project.sources {
            #expect(Self.manifest.module(of: file.path) != nil, "\(file.path) belongs to no module")
        }
    }

    @Test func `a module imports what its line in the manifest names, and nothing else`() {
        let found = Self.imports.filter {
            !ImportTable.toolchain.contains($0.name) && !$0.module.uses.contains($0.name)
        }
        Ratchet.check(
            found.map { $0.offence("import outside the manifest") }, rule: "import outside the manifest")
    }

    @Test func `a module imports what the import table allows, and nothing else`() {
        let found = Self.imports.filter { found in
            guard let row = ImportTable.rows[found.module.name] else { return true }
            return !row.ours.contains(found.name) && !row.outside.contains(found.name)
        }
        Ratchet.check(found.map { $0.offence("import outside the table") }, rule: "import outside the table")
    }

    @Test func `the manifest opens no door that the import table keeps shut`() {
        for module in Self.manifest.modules {
            let row = ImportTable.rows[module.name]
            #expect(row != nil, "\(module.name) has no row in the import table")
            let excess = Set(module.uses).subtracting(row?.ours ?? []).subtracting(row?.outside ?? [])
            #expect(excess.isEmpty, "\(module.name) may not use \(excess.sorted())")
        }
        let known = Set(Self.manifest.modules.map(\.name))
        #expect(ImportTable.rows.keys.allSatisfy { known.contains($0) }, "a row for a module that is gone")
    }

    @Test func `no feature enters another feature`() {
        let features = Set(Self.manifest.modules.filter { $0.wing == "Features" }.map(\.name))
        #expect(features == ImportTable.features)
        for module in Self.manifest.modules where features.contains(module.name) {
            #expect(features.isDisjoint(with: module.uses), "\(module.name) uses \(module.uses)")
        }
        for found in Self.imports where features.contains(found.module.name) {
            #expect(!features.contains(found.name), "\(found.place)")
        }
    }

    @Test func `the console sees no feature and no engine`() {
        let hidden = ImportTable.features.union(ImportTable.adapters).union(["Engine", "Gateway", "Assembly"])
        for found in Self.imports where found.module.name == "Console" {
            #expect(!hidden.contains(found.name), "\(found.place)")
        }
    }

    @Test(arguments: ImportTable.keepers.keys.sorted())
    func `a library is imported by its keeper alone`(library: String) throws {
        let keepers = try #require(ImportTable.keepers[library])
        let importers = Set(Self.imports.filter { $0.name == library }.map(\.module.name))
        #expect(importers == keepers)
    }

    @Test(arguments: [
        ("import Domain", ["Domain"]), ("public import Domain", ["Domain"]),
        ("package import Domain", ["Domain"]),
        ("@preconcurrency import Domain", ["Domain"]), ("import struct Domain.Money", ["Domain"]),
        ("    import Glibc.stdio  // why", ["Glibc"]), ("// import Domain", []),
        ("let text = \"import Domain\"", []), ("importing()", []),
    ])
    func `an import line is read in every form`(line: String, names: [String]) {
        let file = SwiftText(path: "Sample.swift", text: line)
        #expect(Self.importedNames(in: file).map(\.name) == names)
    }
}
