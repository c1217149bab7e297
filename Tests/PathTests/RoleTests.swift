import Foundation
import Glibc
import TestKit
import TestTraits
import Testing

/// Roles of operators, by the program itself: a running engine, no engine, a change while it runs.
@Suite(.serialized, .ownThread) struct RoleTests {
    /// The account that the tests, and so the engines, run as.
    private static var own: String {
        getpwuid(geteuid()).flatMap { $0.pointee.pw_name }.map { String(cString: $0) } ?? ""
    }

    /// Another account that Debian has.
    private static let other = "daemon"

    /// This account's role; the other is an admin.
    private static func roles(_ role: String) -> String {
        """
        [[operator]]
        user = "\(own)"
        role = "\(role)"
        [[operator]]
        user = "\(other)"
        role = "admin"
        """
    }

    private func audit(_ house: House) throws -> [[String: String]] {
        let text = try house.command(["audit", "list", "--limit", "200", "--json"]).out
        let rows = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
        return rows.compactMap { row in (row["draft"] as? [String: Any])?.compactMapValues { $0 as? String } }
    }

    /// Gives a command that this account has no role for.
    private func denied(_ house: House, _ arguments: [String], needs role: String) throws {
        let output = try house.command(arguments, expect: 1)
        #expect(output.out.isEmpty, "\(output.out)")
        #expect(
            output.err.hasPrefix("denied: ") && output.err.contains("needs role \(role)"), "\(output.err)")
        #expect(output.err.split(separator: "\n").count == 1, "one line: \(output.err)")
    }

    @Test func `an operator trips and purges, and is told who gives the role for the rest`() throws {
        let house = try House()
        _ = try house.tenant("acme")
        try house.configure(Self.roles("operator"))
        try house.start()
        try house.command(["breaker", "trip", "openai/gpt-6-sol", "--for", "5m", "--reason", "try"])
        try house.command(["cache", "purge", "--all"])
        try house.command(["tenant", "suspend", "acme", "--reason", "try"])
        try house.command(["tenant", "resume", "acme"])
        try denied(house, ["tenant", "add", "beta"], needs: "admin")
        try denied(house, ["token", "issue", "acme"], needs: "admin")
        try denied(house, ["backup", house.folder.path + "/backup"], needs: "admin")
        try denied(house, ["audit", "export", house.folder.path + "/audit.jsonl"], needs: "admin")
        #expect(!FileManager.default.fileExists(atPath: house.folder.path + "/backup"))
        #expect(!FileManager.default.fileExists(atPath: house.folder.path + "/audit.jsonl"))
        #expect(!(try house.command(["tenant", "list"]).out.contains("beta")))
        let records = try audit(house).filter { $0["result"] == "DENIED" }
        #expect(
            records.map { $0["action"] } == ["audit.export", "backup.make", "token.issue", "tenant.add"])
        #expect(
            records.allSatisfy { $0["actor"] == Self.own && $0["reason"] == "needs role admin, has operator" }
        )
        #expect(try house.command(["audit", "verify"]).out.contains("the chain is intact"))
    }

    @Test func `the same table holds with no engine running`() throws {
        let house = try House()
        try house.command(["tenant", "add", "acme"])
        try house.configure(Self.roles("viewer"))
        let file = try Data(contentsOf: URL(filePath: house.data + "/gatehouse.toml"))
        #expect(try house.command(["tenant", "list"]).out.contains("acme"))
        try denied(house, ["cache", "purge", "--all"], needs: "operator")
        try denied(house, ["tenant", "add", "beta"], needs: "admin")
        try denied(house, ["restore", house.folder.path], needs: "admin")
        let other = house.folder.path + "/litellm.yaml"
        try "model_list: []\n".write(toFile: other, atomically: true, encoding: .utf8)
        try denied(house, ["import", "litellm", other], needs: "admin")
        #expect(try Data(contentsOf: URL(filePath: house.data + "/gatehouse.toml")) == file)
        #expect(
            try audit(house).filter { $0["result"] == "DENIED" }.map { $0["action"] }
                == ["config.import", "backup.restore", "tenant.add", "cache.purge"])
    }

    @Test func `an account without an entry sees nothing`() throws {
        let house = try House()
        try house.command(["tenant", "add", "acme"])
        try house.configure("[[operator]]\nuser = \"\(Self.other)\"\nrole = \"admin\"")
        for running in [false, true] {
            if running { try house.start() }
            for command in [
                ["tenant", "list"], ["audit", "list"], ["usage", "report"], ["vault", "status"],
            ] {
                let output = try house.command(command, expect: 1)
                #expect(output.out.isEmpty && output.err.contains("\(Self.own) has no role"), "\(output)")
                #expect(!output.err.contains("acme"))
            }
        }
        try house.configure("")
        try waitUntil("the roles are taken away again") {
            try house.command(["tenant", "list"], expect: nil).out.contains("acme")
        }
        let changes = try audit(house).filter { $0["action"] == "role.change" }
        #expect(
            changes.contains {
                $0["target"] == Self.other && $0["before"] == "admin" && $0["after"] == "no role"
            })
    }

    @Test func `roles change while the engine runs, and never so that no admin is left`() throws {
        let house = try House()
        try house.configure(Self.roles("viewer"))
        try house.start()
        try denied(house, ["cache", "purge", "--all"], needs: "operator")
        try house.configure(Self.roles("operator"))
        try waitUntil("the new role is in force") {
            try house.command(["cache", "purge", "--all"], expect: nil).status == 0
        }
        #expect(
            try audit(house).first { $0["action"] == "role.change" && $0["target"] == Self.own }?
                .filter { ["before", "after"].contains($0.key) } == ["before": "viewer", "after": "operator"])

        // Refused whole, and the old roles stay: nobody is an admin; no account of the machine is one.
        let log = house.logs[house.logs.count - 1]
        for (count, bad) in [(Self.own, "viewer"), ("no-such-account", "admin")].enumerated() {
            try house.configure("[[operator]]\nuser = \"\(bad.0)\"\nrole = \"\(bad.1)\"")
            try waitUntil("the file is refused") {
                let text = try String(contentsOfFile: log, encoding: .utf8)
                return text.components(separatedBy: "the configuration was refused").count == count + 2
            }
            try house.command(["cache", "purge", "--all"])
        }
        try house.configure(Self.roles("operator"))

        // Who shares an account may lower his own role.
        house.environment["GATEHOUSE_ROLE"] = "viewer"
        let output = try house.command(["cache", "purge", "--all"], expect: 1)
        #expect(output.err.contains("works as viewer in this session"), "\(output.err)")
        #expect(
            try audit(house).first { $0["result"] == "DENIED" }?["reason"]
                == "needs role operator, lowered to viewer")
        // It never adds anything.
        house.environment["GATEHOUSE_ROLE"] = "admin"
        try denied(house, ["tenant", "add", "beta"], needs: "admin")
    }

    @Test func `the console of an operator has his keys, and says which role the others take`() throws {
        let house = try House()
        _ = try house.tenant("acme")
        try house.configure(Self.roles("operator"))
        let screen = try Screen(house, width: 80, height: 24)
        try screen.shows("\(Self.own) operator")
        try screen.press("5")
        try screen.shows("[5 Keys]")
        try screen.press("x")
        try screen.shows("revoke - needs role admin")
        try screen.press("?")
        try screen.shows("rotate - needs role admin")
        try screen.press("Escape")
        try screen.hides("Help: Keys")
        try screen.press(":")
        try screen.shows("── Command ──")
        try screen.type("tenant add")
        try screen.shows("- needs role admin")
        try screen.press("Escape")
        try screen.hides("── Command ──")
        try screen.press("4")
        try screen.shows("[4 Tenants]")
        try screen.press("X")
        try screen.shows("── Purge")
        try screen.press("Escape")
        try screen.hides("── Purge")

        // A command that is denied meanwhile is a row of the audit.
        try denied(house, ["tenant", "add", "beta"], needs: "admin")
        try screen.press("8")
        try screen.shows("DENIED")
        try screen.press("g")
        try screen.shows("needs role admin, has operator")

        // The role goes, and with it all that was on the screen.
        try house.configure("[[operator]]\nuser = \"\(Self.other)\"\nrole = \"admin\"")
        try screen.shows("NO ROLE")
        try screen.press("4")
        try screen.shows("[4 Tenants]")
        #expect(!(try screen.text().contains("acme")))
        try house.configure(Self.roles("viewer"))
        try screen.shows("\(Self.own) viewer")
        try screen.shows("acme")
        try screen.endEngine(SIGTERM)
        try screen.shows("LEFT rc=0 echo=1")
    }

    @Test func `a console can be started with less than one's role, and the session says so`() throws {
        let house = try House()
        _ = try house.tenant("acme")
        let screen = try Screen(house, width: 80, height: 24, options: "--role viewer")
        try screen.shows("\(Self.own) viewer")
        try screen.press("3", "T")
        try screen.shows("needs role operator")
        #expect(
            try audit(house).first { $0["action"] == "session.open" }?["after"] == "viewer",
            "no entry is needed for that")
        try screen.endEngine(SIGTERM)
        try screen.shows("LEFT rc=0 echo=1")
    }

    @Test func `a console is not opened by whoever has no role`() throws {
        let house = try House()
        try house.configure("[[operator]]\nuser = \"\(Self.other)\"\nrole = \"admin\"")
        let screen = try Screen(house, width: 80, height: 24)
        try screen.shows("\(Self.own) has no role")
        try screen.shows("LEFT rc=1 echo=1")
    }

    @Test func `roles in a file that others may write are refused`() throws {
        let house = try House()
        try house.configure(Self.roles("admin"))
        let file = house.data + "/gatehouse.toml"
        #expect(chmod(file, 0o666) == 0)
        let output = try house.command(["tenant", "list"], expect: 1)
        #expect(output.err.contains("written by nobody else"), "\(output.err)")
        #expect(chmod(file, 0o644) == 0)
        try house.command(["tenant", "list"])
    }
}
