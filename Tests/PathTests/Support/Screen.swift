import Foundation
import TestKit

/// A real terminal (tmux) with the console on it, driven by keys and read as text.
final class Screen {
    private let socket = "gatehouse-test-" + UUID().uuidString.prefix(8)
    private let house: House
    private let server: Child
    /// Every screen that was looked at, but for those while nothing was to be kept.
    private(set) var seen = ""
    var keeps = true

    /// - Parameters:
    ///   - options: what the program is started with besides.
    ///   - raw: a file for the bytes that the terminal gets.
    init(_ house: House, width: Int, height: Int, options: String = "", raw: String? = nil) throws {
        self.house = house
        let binary = try House.binary
        let script = house.folder.path + "/console.sh"
        try """
        export LANG=C.UTF-8 TERM=xterm-256color
        '\(binary)' --data '\(house.data)' \(options)
        echo "LEFT rc=$? echo=$(stty -a | grep -c '[^-]echo ')"
        exec sleep 300
        """.write(toFile: script, atomically: true, encoding: .utf8)
        // In the foreground: a daemon would outlive the test.
        server = try Child("/usr/bin/tmux", ["-L", String(socket), "-f", "/dev/null", "-D"])
        try waitUntil("the terminal starts") {
            // -N: never start a server of its own.
            try Tool.run(
                "/usr/bin/tmux",
                [
                    "-N", "-L", String(socket), "new-session", "-d", "-x", "\(width)", "-y", "\(height)",
                    "bash '\(script)'",
                ] + (raw.map { [";", "pipe-pane", "-O", "cat >> '\($0)'"] } ?? []), expect: nil
            ).status == 0
        }
    }

    deinit { kill() }

    @discardableResult
    private func tmux(_ arguments: [String], input: String = "") throws -> String {
        try Tool.run("/usr/bin/tmux", ["-N", "-L", String(socket)] + arguments, input: input, expect: nil).out
    }

    func text() throws -> String {
        let text = try tmux(["capture-pane", "-p"])
        if keeps { seen += text }
        return text
    }

    /// Waits until the screen shows one of the texts.
    func shows(_ wanted: String, or others: String...) throws {
        var last = ""
        do {
            try waitUntil("the screen shows \"\(wanted)\"") {
                last = try text()
                return ([wanted] + others).contains { last.contains($0) }
            }
        } catch {
            throw Tool.Failure(description: "\(error); it shows:\n\(last)")
        }
    }

    /// Waits until the screen shows a text no more.
    func hides(_ unwanted: String) throws {
        try waitUntil("the screen hides \"\(unwanted)\"") { !(try text().contains(unwanted)) }
    }

    func press(_ keys: String...) throws { for key in keys { try tmux(["send-keys", key]) } }

    func type(_ text: String) throws { try tmux(["send-keys", "-l", text]) }

    func paste(_ text: String) throws {
        try tmux(["load-buffer", "-"], input: text)
        try tmux(["paste-buffer", "-p"])
    }

    func resize(_ width: Int, _ height: Int) throws {
        try tmux(["resize-window", "-x", "\(width)", "-y", "\(height)"])
    }

    /// Takes the terminal away from whatever runs on it.
    func kill() {
        _ = try? tmux(["kill-server"])
        server.end(SIGTERM)
    }

    /// Where the console's engine listens, from its log.
    func port() throws -> Int {
        var port = 0
        try waitUntil("the engine says where it listens") {
            let log = try String(contentsOfFile: house.data + "/gatehouse.log", encoding: .utf8)
            guard let mark = log.range(of: "address=127.0.0.1:", options: .backwards) else { return false }
            port = Int(log[mark.upperBound...].prefix { $0.isNumber }) ?? 0
            return port > 0
        }
        return port
    }

    /// The engine holds the data folder's lock, which names it.
    func enginePID() throws -> Int32 {
        let text = try String(contentsOfFile: house.data + "/lock", encoding: .utf8)
        guard let pid = Int32(text.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Tool.Failure(description: "the lock names no process: \(text)")
        }
        return pid
    }

    func endEngine(_ signal: Int32) throws { Foundation.kill(try enginePID(), signal) }
}
