import Foundation

/// Runs a program to its end; every wait is bounded.
struct Tool {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    struct Output {
        let status: Int32
        let out: String
        let err: String
    }

    /// - Parameter input: given on standard input.
    @discardableResult
    static func run(
        _ path: String, _ arguments: [String], input: String = "", environment: [String: String] = [:],
        seconds: Double = 60, expect status: Int32? = 0
    ) throws -> Output {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        let folder = try TemporaryFolder()
        let files = ["in", "out", "err"].map { folder.path + "/" + $0 }
        try input.write(toFile: files[0], atomically: true, encoding: .utf8)
        for file in files.dropFirst() { _ = FileManager.default.createFile(atPath: file, contents: nil) }
        process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: files[0]))
        process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: files[1]))
        process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: files[2]))
        try process.run()
        do {
            try waitUntil("\(path) \(arguments) ends", seconds: seconds) { !process.isRunning }
        } catch {
            end(process, SIGKILL)
            throw error
        }
        let output = Output(
            status: process.terminationStatus, out: try String(contentsOfFile: files[1], encoding: .utf8),
            err: try String(contentsOfFile: files[2], encoding: .utf8))
        if let status, output.status != status {
            throw Failure(
                description: "\(path) \(arguments) ended with \(output.status): \(output.out)\(output.err)")
        }
        return output
    }
}

extension Tool {
    /// Signals a process that these tests started, and waits for it to be gone; killed if a signal is not obeyed.
    static func end(_ process: Process, _ signal: Int32) {
        kill(process.processIdentifier, signal)
        do {
            try waitUntil("process \(process.processIdentifier) ends", seconds: 15) { !process.isRunning }
        } catch {
            kill(process.processIdentifier, SIGKILL)
        }
    }
}

/// Looks again and again until a condition holds, up to a deadline.
func waitUntil(_ what: String, seconds: Double = 20, _ condition: () throws -> Bool) throws {
    let deadline = Date().addingTimeInterval(seconds)
    while Date() < deadline {
        if try condition() { return }
        usleep(20_000)
    }
    throw Tool.Failure(description: "not within \(seconds) s: \(what)")
}

/// A folder that goes away with its owner.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "gatehouse-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
