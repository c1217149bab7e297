import Foundation
import Glibc
import TestKit
import TestTraits
import Testing

/// The socket for other accounts, with processes of other accounts: only root can start those.
@Suite(.serialized, .ownThread, .enabled(if: geteuid() == 0)) struct RoleSocketTests {
    /// A place that every account can reach, and an engine whose socket lies there.
    private final class Place {
        let folder: String
        var socket: String { folder + "/engine.sock" }

        init() throws {
            var template = Array("/tmp/gh-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil, chmod(template, 0o755) == 0 else {
                throw Tool.Failure(description: "no folder under /tmp")
            }
            folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        /// Root is an admin, `daemon` what is said, and its group may connect.
        func roles(_ role: String, path: String? = nil, group: String = "daemon") -> String {
            """
            [[operator]]
            user = "root"
            role = "admin"
            [[operator]]
            user = "daemon"
            role = "\(role)"
            [socket]
            path = "\(path ?? socket)"
            group = "\(group)"
            """
        }
    }

    /// Says one line to the socket, as a program of ours or of anybody would, and prints what comes back.
    private static let client = """
        import socket, sys
        peer = socket.socket(socket.AF_UNIX)
        try:
            peer.connect(sys.argv[1])
        except OSError as error:
            sys.exit(type(error).__name__)
        peer.sendall(sys.argv[2].encode() + b"\\n")
        answer = b""
        while chunk := peer.recv(65536):
            answer += chunk
        print(answer.decode())
        """

    /// - Parameter account: user and group, by name.
    private func run(
        as account: (user: String, group: String), _ arguments: [String], environment: [String: String] = [:]
    ) throws -> Tool.Output {
        try Tool.run(
            "/usr/bin/setpriv",
            ["--reuid=\(account.user)", "--regid=\(account.group)", "--clear-groups"] + arguments,
            environment: environment, expect: nil)
    }

    private func say(
        _ body: String, as account: (user: String, group: String) = ("daemon", "daemon"), at place: Place,
        besides: String = ""
    ) throws -> Tool.Output {
        // It lies about who it is.
        let line = "{\"operatorName\":\"root\",\(besides)\"body\":\(body)}"
        return try run(as: account, ["/usr/bin/python3", "-c", Self.client, place.socket, line])
    }

    private static let look = #"{"snapshot":{}}"#
    private static let purge = #"{"command":{"_0":{"cachePurge":{}}}}"#
    private static let add = #"{"command":{"_0":{"tenantAdd":{"name":"beta","limits":{}}}}}"#

    private func mode(_ path: String) -> UInt32? {
        var facts = stat()
        return lstat(path, &facts) == 0 ? facts.st_mode & 0o7777 : nil
    }

    @Test func `another account acts by its own role, whoever it says it is`() throws {
        let place = try Place()
        let house = try House()
        try house.command(["tenant", "add", "acme"])
        try house.configure(place.roles("viewer"))
        try house.start()
        #expect(mode(place.socket) == 0o660 && mode(house.data) == 0o700)
        #expect(mode(house.data + "/engine.sock") == 0o600)

        let seen = try say(Self.look, at: place).out
        #expect(seen.contains("\"acme\"") && seen.contains(#""role":"viewer""#), "\(seen.prefix(300))")
        for besides in ["", #""ceiling":"admin","#] {
            for (command, needed) in [(Self.purge, "operator"), (Self.add, "admin")] {
                let refused = try say(command, at: place, besides: besides).out
                #expect(refused.contains("needs role \(needed), and daemon has viewer"), "\(refused)")
            }
        }
        let lowered = try say(Self.look, at: place, besides: #""ceiling":"viewer","#).out
        #expect(lowered.contains(#""role":"viewer""#))

        // An account in the group without an entry may knock and sees nothing; one outside of it cannot even do that.
        let stranger = try say(Self.look, as: ("nobody", "daemon"), at: place).out
        #expect(stranger.contains("nobody has no role") && !stranger.contains("acme"), "\(stranger)")
        #expect(try say(Self.look, as: ("nobody", "nogroup"), at: place).err.contains("PermissionError"))

        let records = try house.command(["audit", "list", "--limit", "50"]).out.split(separator: "\n")
        let denied = records.filter { $0.contains("DENIED") }
        #expect(denied.count == 5 && denied.allSatisfy { !$0.contains("root") }, "\(denied)")
        #expect(
            denied.contains { $0.contains("daemon") && $0.contains("tenant.add") && $0.contains("uid 1") })
        #expect(try house.command(["audit", "verify"]).out.contains("the chain is intact"))
        #expect(!(try house.command(["tenant", "list"]).out.contains("beta")))
    }

    @Test
    func
        `a role that is given or taken holds for the next command, and without entries nobody else is let in`()
        throws
    {
        let place = try Place()
        let house = try House()
        try house.command(["tenant", "add", "acme"])
        try house.configure(place.roles("viewer"))
        try house.start()
        #expect(try say(Self.purge, at: place).out.contains("needs role operator"))
        try house.configure(place.roles("operator"))
        try waitUntil("the role is given") { try say(Self.purge, at: place).out.contains("purged") }
        try house.configure("")
        try waitUntil("the roles are gone") { try say(Self.look, at: place).out.contains("has no role") }
        #expect(try say(Self.purge, at: place).out.contains("daemon has no role"))
        // The engine's own account is as it was without any entry.
        try house.command(["cache", "purge", "--all"])
    }

    @Test func `the program finds the socket by an option, and by a variable`() throws {
        let place = try Place()
        let house = try House()
        try house.command(["tenant", "add", "acme"])
        try house.configure(place.roles("operator"))
        try house.start()
        // Where this build lies no other account may be able to read it.
        let binary = place.folder + "/gatehouse"
        try FileManager.default.copyItem(atPath: try House.binary, toPath: binary)
        let daemon = (user: "daemon", group: "daemon")
        guard try run(as: daemon, [binary, "version"]).status == 0 else {
            return print("not tried: other accounts cannot load Swift's libraries here")
        }
        let listed = try run(as: daemon, [binary, "tenant", "list", "--socket", place.socket])
        #expect(listed.status == 0 && listed.out.contains("acme"), "\(listed)")
        let environment = ["GATEHOUSE_SOCKET": place.socket]
        let purged = try run(as: daemon, [binary, "cache", "purge", "--all"], environment: environment)
        #expect(purged.status == 0 && purged.out.contains("purged"), "\(purged)")
        let denied = try run(as: daemon, [binary, "token", "issue", "acme"], environment: environment)
        #expect(denied.status == 1 && denied.out.isEmpty, "\(denied)")
        #expect(
            denied.err.hasPrefix("denied: token.issue needs role admin, and daemon has operator"), "\(denied)"
        )
        let outsider = (user: "nobody", group: "nogroup")
        let kept = try run(as: outsider, [binary, "tenant", "list"], environment: environment)
        #expect(kept.status == 1 && kept.err.contains("its group's members may connect"), "\(kept)")

        // No engine: nothing of one's own is opened instead.
        house.stop(SIGTERM)
        let gone = try run(as: daemon, [binary, "tenant", "list"], environment: environment)
        #expect(gone.status == 1 && gone.err.contains("no engine answers"), "\(gone)")

        // A folder in which anybody could put a socket is not trusted with secrets.
        #expect(chmod(place.folder, 0o777) == 0 && mknod(place.socket, S_IFSOCK | 0o666, 0) == 0)
        let unsafe = try run(as: daemon, [binary, "tenant", "list"], environment: environment)
        #expect(unsafe.status == 1 && unsafe.err.contains("written by nobody else"), "\(unsafe)")
    }

    @Test func `a socket in a place that is not safe, or taken, is refused at start`() throws {
        let place = try Place()
        let house = try House()
        func refused(_ configuration: String, _ words: String) throws {
            try house.configure(configuration)
            let engine = try house.launch()
            try waitUntil("the engine gives up") { engine.status != nil }
            let log = try String(contentsOfFile: house.logs[house.logs.count - 1], encoding: .utf8)
            #expect(engine.status != 0 && log.contains(words), "\(words): \(log)")
        }
        try refused(place.roles("viewer", path: house.data + "/other.sock"), "outside the data folder")
        try refused(place.roles("viewer", group: "no-such-group"), "no group no-such-group")
        try refused(place.roles("viewer", path: place.folder + "/nowhere/e.sock"), "is not there")
        #expect(chmod(place.folder, 0o777) == 0)
        try refused(place.roles("viewer"), "written by nobody else")
        #expect(chmod(place.folder, 0o755) == 0)
        try "mine".write(toFile: place.socket, atomically: true, encoding: .utf8)
        try refused(place.roles("viewer"), "no socket")
        #expect(try String(contentsOfFile: place.socket, encoding: .utf8) == "mine")
        try FileManager.default.removeItem(atPath: place.socket)

        // A socket that a killed engine left is replaced, one that answers is not.
        try house.configure(place.roles("viewer"))
        try house.start()
        house.stop(SIGKILL)
        #expect(mode(place.socket) == 0o660)
        try house.start()
        let other = try House()
        try other.configure(place.roles("viewer"))
        let second = try other.launch()
        try waitUntil("the second engine gives up") { second.status != nil }
        #expect(
            try String(contentsOfFile: other.logs[other.logs.count - 1], encoding: .utf8).contains(
                "another engine answers"))
        #expect(try say(Self.look, at: place).out.contains(#""role":"viewer""#))
        house.stop(SIGTERM)
        #expect(mode(place.socket) == nil)
    }
}
