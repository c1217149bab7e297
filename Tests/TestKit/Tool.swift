import Foundation

/// How long a test waits for what has to come, in seconds: longer than a machine takes that runs every other test at
/// the same time. A test that passes never waits so long.
package let patience: Double = 180

/// Runs a program to its end; every wait is bounded.
package struct Tool {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        package init(description: String) { self.description = description }
    }

    package struct Output {
        package let status: Int32
        package let out: String
        package let err: String
    }

    /// - Parameter input: given on standard input.
    @discardableResult
    package static func run(
        _ path: String, _ arguments: [String], input: String = "", environment: [String: String] = [:],
        seconds: Double = patience, expect status: Int32? = 0
    ) throws -> Output {
        let folder = try TemporaryFolder()
        let files = ["in", "out", "err"].map { folder.path + "/" + $0 }
        try input.write(toFile: files[0], atomically: true, encoding: .utf8)
        let child = try Child(
            path, arguments, input: files[0], output: files[1], error: files[2], environment: environment)
        defer { child.end(SIGKILL) }
        var code: Int32 = 0
        try waitUntil("\(path) \(arguments) ends", seconds: seconds) {
            guard let ended = child.status else { return false }
            code = ended
            return true
        }
        let output = Output(
            status: code, out: try String(contentsOfFile: files[1], encoding: .utf8),
            err: try String(contentsOfFile: files[2], encoding: .utf8))
        if let status, output.status != status {
            throw Failure(
                description: "\(path) \(arguments) ended with \(output.status): \(output.out)\(output.err)")
        }
        return output
    }
}

/// Looks again and again until a condition holds, up to a deadline that a loaded machine keeps too.
package func waitUntil(_ what: String, seconds: Double = patience, _ condition: () throws -> Bool) throws {
    let deadline = Date().addingTimeInterval(seconds)
    while Date() < deadline {
        if try condition() { return }
        usleep(20_000)
    }
    throw Tool.Failure(description: "not within \(seconds) s: \(what)")
}

/// A folder that goes away with its owner.
package final class TemporaryFolder: Sendable {
    package let path: String

    package init() throws {
        path = NSTemporaryDirectory() + "gatehouse-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
