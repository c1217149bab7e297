import Console
import Foundation
import Testing

@testable import Console

/// Compares a frame with the one that was looked at and kept.
///
/// `GATEHOUSE_UPDATE_GOLDEN=1` writes the files anew; look at each difference before keeping it.
enum GoldenFrame {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Golden")

    static func check(_ frame: Frame, _ name: String, _ location: SourceLocation = #_sourceLocation) {
        let file = folder.appendingPathComponent("\(name).txt")
        let text = frame.text + "\n"
        if ProcessInfo.processInfo.environment["GATEHOUSE_UPDATE_GOLDEN"] == "1" {
            do {
                try text.write(to: file, atomically: true, encoding: .utf8)
            } catch {
                Issue.record("cannot write \(file.path): \(error)", sourceLocation: location)
            }
            return
        }
        guard let kept = try? String(contentsOf: file, encoding: .utf8) else {
            Issue.record(
                "no golden frame \(name); write it with GATEHOUSE_UPDATE_GOLDEN=1", sourceLocation: location)
            return
        }
        guard !kept.utf8.elementsEqual(text.utf8) else { return }
        let pairs = zip(
            kept.split(separator: "\n", omittingEmptySubsequences: false),
            text.split(separator: "\n", omittingEmptySubsequences: false))
        let row = pairs.enumerated().first { $0.element.0 != $0.element.1 }?.offset ?? -1
        Issue.record("\(name) differs, first in row \(row):\n\(text)", sourceLocation: location)
    }

    /// A pane in every scene and size.
    static func check(_ pane: PaneID, prepare: (inout ConsoleModel) -> Void = { _ in }, suffix: String = "") {
        for scene in Scene.allCases {
            for (width, height) in [(80, 24), (120, 40), (40, 12)] {
                var model = scene.model(width, height)
                model.type("\(pane.rawValue)")
                prepare(&model)
                check(model.frame(), "\(pane.word)\(suffix).\(scene.rawValue).\(width)x\(height)")
            }
        }
    }
}
