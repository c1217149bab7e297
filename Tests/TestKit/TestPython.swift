import Foundation

/// Python with the official SDKs, made by the README's test command.
package enum TestPython {
    package static var path: String {
        get throws {
            let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .deletingLastPathComponent().deletingLastPathComponent()
            let path =
                ProcessInfo.processInfo.environment["GATEHOUSE_TEST_PYTHON"]
                ?? package.appendingPathComponent(".build/venv/bin/python").path
            guard FileManager.default.isExecutableFile(atPath: path) else {
                throw Tool.Failure(
                    description: "no \(path): run the test command of README.md once, it makes it")
            }
            return path
        }
    }
}
