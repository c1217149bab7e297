import Foundation
import Operations
import Testing

@testable import Console

@Suite struct KeymapTests {
    @Test func `no key means two things in one place`() {
        for pane in PaneID.allCases {
            for region in 0...2 {
                var seen: [Key: String] = [:]
                for binding in Keymap.bindings(in: pane, region: region) {
                    for key in binding.keys {
                        #expect(
                            seen[key] == nil,
                            "\(key) in \(pane) \(region): \(seen[key] ?? "") and \(binding.words)")
                        seen[key] = binding.words
                    }
                }
            }
        }
    }

    @Test func `nothing that changes something is on a key that terminals take or that scrolls`() {
        for binding in Keymap.bindings where binding.danger != .none {
            for key in binding.keys {
                if case .character = key { continue }
                Issue.record("\(binding.words) is on \(key)")
            }
        }
        #expect(Keymap.binding(for: .control("d"), in: .keys, region: 0)?.command == .halfDown)
    }

    @Test func `what changes traffic asks for a typed word`() {
        for command in [
            CommandID.trip, .close, .hold, .drainKey, .revokeKey, .revokeToken, .suspendTenant, .purgeCache,
            .drill,
        ] {
            let found = Keymap.bindings.filter { $0.command == command }
            #expect(!found.isEmpty && found.allSatisfy { $0.danger == .typed }, "\(command)")
        }
    }

    @Test func `help lists every key of a pane that has a sign`() {
        for pane in PaneID.allCases {
            var model = Scene.incident.model(120, 40)
            model.type("\(pane.rawValue)?")
            let screen = model.screen
            for binding in Keymap.bindings(in: pane, region: 0) {
                guard let sign = binding.sign, Int(sign) == nil else { continue }
                #expect(screen.contains(binding.words), "\(binding.words) in \(pane)")
            }
        }
    }

    @Test func `every pane of the list has its own tests`() {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "Panes")
        #expect(PaneList.all.map(\.id) == PaneID.allCases)
        for pane in PaneList.all {
            let file = folder.appendingPathComponent("\(type(of: pane))Tests.swift")
            #expect(FileManager.default.fileExists(atPath: file.path), "no \(file.lastPathComponent)")
        }
    }
}
