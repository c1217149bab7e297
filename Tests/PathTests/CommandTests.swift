import Foundation
import TestKit
import TestTraits
import Testing

/// Commands that show and steer routing, as an operator types them, with the real program.
@Suite(.serialized, .ownThread) struct CommandTests {
    private static let routes = """
        [[route]]
        model = "shared"
        strategy = "weighted"
        targets = ["openai/gpt-6-sol", "openai/gpt-6-luna"]
        weights = [3, 1]
        deny = ["mistral"]
        max_usd = "0.5"
        last_resort = "anthropic/claude-sonnet-5"
        [platform]
        tenant = "house"
        [drill]
        tenants = ["acme"]
        """

    // MARK: Help

    private struct Help: Decodable {
        let command: Command
        struct Command: Decodable {
            let commandName: String
            let discussion: String?
            let subcommands: [Command]?
            let arguments: [Argument]?
        }
        struct Argument: Decodable {
            let names: [Spelling]?
        }
        struct Spelling: Decodable { let name: String }
    }

    @Test func `every command has an example, and every listing prints JSON when asked`() throws {
        let text = try Tool.run(try House.binary, ["--experimental-dump-help"]).out
        var count = 0
        func walk(_ command: Help.Command, _ path: String) {
            let name = "\(path) \(command.commandName)"
            guard command.commandName != "help" else { return }
            count += 1
            #expect(command.discussion?.contains("Example") == true, "no example: \(name)")
            let options = (command.arguments ?? []).flatMap { $0.names ?? [] }.map(\.name)
            if ["list", "show", "stats", "status", "explain"].contains(command.commandName) {
                #expect(options.contains("json"), "no --json: \(name)")
            }
            for inner in command.subcommands ?? [] { walk(inner, name) }
        }
        walk(try JSONDecoder().decode(Help.self, from: Data(text.utf8)).command, "")
        #expect(count > 50)
    }

    // MARK: Routes

    @Test func `routes are listed as the configuration has them, and explained as calls would go`() throws {
        let house = try House(routes: Self.routes)
        let token = try house.tenant("acme")
        let table = try house.command(["route", "list"]).out
        #expect(table.contains("openai/gpt-6-sol x3, openai/gpt-6-luna x1"), "\(table)")
        #expect(table.contains("deny mistral; max $0.500000"), "\(table)")
        #expect(table.contains("last resort anthropic/claude-sonnet-5"), "\(table)")
        let routes = try list(house, ["route", "list"])
        #expect(
            routes.compactMap { $0["model"] as? String } == ["failover", "pair", "shared"], "\(routes)")
        #expect(routes.last?["strategy"] as? String == "weighted")

        try house.start()
        #expect(try house.call(token: token, body: House.chat("pair")).status == 200)
        try house.command([
            "breaker", "trip", "openai/gpt-6-sol", "--for", "10m", "--reason", "tests",
        ])
        let told = try house.command(["route", "explain", "pair", "--tenant", "acme"]).out
        #expect(told.contains("strategy priority"), "\(told)")
        let lines = told.split(separator: "\n").map(String.init)
        let first = try #require(lines.first { $0.hasPrefix("1 ") }, "\(told)")
        #expect(first.contains("openai/gpt-6-luna") && first.contains("main") && first.contains("$"))
        let out = try #require(lines.first { $0.contains("openai/gpt-6-sol") }, "\(told)")
        #expect(out.hasPrefix("-") && out.contains("left out: ") && out.contains("held"), "\(out)")
        let json = try object(house, ["route", "explain", "pair", "--tenant", "acme"])
        #expect((json["candidates"] as? [[String: Any]])?.count == 2, "\(json)")

        // Nothing would take it: said, and by the exit code.
        try house.command(["tenant", "add", "keyless"])
        let none = try house.command(["route", "explain", "no-such", "--tenant", "keyless"], expect: 1)
        #expect(none.out.contains("no provider serves this name"), "\(none)")
        let nobody = try house.command(["route", "explain", "pair", "--tenant", "nobody"], expect: 1)
        #expect(nobody.err.contains("there is no tenant nobody"), "\(nobody)")
        try house.command(["route", "explain", "pair"], expect: 2)
    }

    // MARK: Drills

    @Test func `a drill makes one tenant's calls meet its fault until it is stopped`() throws {
        let house = try House(routes: Self.routes)
        let drilled = try house.tenant("acme")
        let spared = try house.tenant("globex")
        let start = [
            "drill", "start", "acme", "--fault", "529", "--for", "10m", "--reason", "game day",
        ]
        #expect(try house.command(start, expect: 1).err.contains("no engine runs"))
        try house.start()
        let other = try house.command(
            ["drill", "start", "globex", "--fault", "cut", "--reason", "x"], expect: 1)
        #expect(other.err.contains("[drill] tenants = [\"globex\"]"), "\(other)")
        for wrong in [
            ["--fault", "fire"], ["--fault", "cut", "--percent", "101"], ["--fault", "cut", "--for", "90s"],
        ] {
            try house.command(["drill", "start", "acme", "--reason", "x"] + wrong, expect: 2)
        }
        #expect(try house.command(start).out.hasPrefix("DRILL: "))
        let refused = try house.call(token: drilled, body: House.chat("openai/gpt-6-sol"))
        #expect(refused.status == 502 && refused.body.contains("529"), "\(refused)")
        #expect(try house.call(token: spared, body: House.chat("openai/gpt-6-sol")).status == 200)
        try waitUntil("the drill has met a call") {
            let drills = try list(house, ["drill", "list"])
            return drills.count == 1 && drills[0]["fault"] as? String == "529"
                && drills[0]["reason"] as? String == "game day" && (drills[0]["calls"] as? Int ?? 0) > 0
        }
        #expect(try house.command(["drill", "list"]).out.contains("game day"))
        try house.command(["drill", "stop", "acme"])
        #expect(try list(house, ["drill", "list"]).isEmpty)
        #expect(try house.command(["drill", "stop", "acme"], expect: 1).err.contains("no drill"))
        #expect(try house.call(token: drilled, body: House.chat("openai/gpt-6-sol")).status == 200)
        let audit = try house.command(["audit", "list"]).out
        #expect(audit.contains("drill.start") && audit.contains("drill.stop"), "\(audit)")
    }

    // MARK: Keys

    @Test func `platform keys serve a tenant that was let to them, and the ledger says who pays`() throws {
        let house = try House(routes: Self.routes)
        _ = try house.tenant("house")
        try house.command(["tenant", "add", "guest"])
        let token = try house.token("guest")
        try house.start()
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol")).status != 200)
        try house.command(["tenant", "platform-keys", "guest", "on"])
        #expect(
            try house.command(["tenant", "platform-keys", "guest", "on"], expect: 1).err.contains("already")
        )
        let served = try house.call(token: token, body: House.chat("openai/gpt-6-sol"))
        #expect(served.status == 200 && served.head.contains("platform"), "\(served)")
        #expect(try house.command(["tenant", "show", "guest"]).out.contains("platform   keys on"))
        try waitUntil("the call is in the ledger") {
            let calls = try list(house, ["usage", "calls", "guest"])
            return calls.contains { $0["payer"] as? String == "platform" && $0["status"] as? Int == 200 }
        }
        let explained = try object(
            house, ["route", "explain", "openai/gpt-6-sol", "--tenant", "guest"])
        let candidates = explained["candidates"] as? [[String: Any]] ?? []
        #expect(candidates.first?["payer"] as? String == "platform", "\(explained)")
        try house.command(["tenant", "platform-keys", "guest", "off"])
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-luna")).status != 200)
        try house.command(["tenant", "platform-keys", "guest", "perhaps"], expect: 2)
    }

    @Test func `a key's weight and models are put and listed, with what its provider said of it`() throws {
        let house = try House(routes: Self.routes)
        let token = try house.tenant("acme")
        let id = try key(house, of: "openai")
        try house.command(["key", "set", id, "--weight", "3", "--models", "gpt-6-sol,fail-*"])
        try house.command(["key", "set", id, "--weight", "5"])
        var row = try #require(try list(house, ["key", "list"]).first { $0["id"] as? String == id })
        #expect(
            row["weight"] as? Int == 5 && row["models"] as? [String] == ["gpt-6-sol", "fail-*"], "\(row)")
        for wrong in [[], ["--weight", "10001"], ["--weight", "1", "--no-weight"], ["--models", ","]] {
            try house.command(["key", "set", id] + wrong, expect: 2)
        }
        try house.start()
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-luna")).status != 200)
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol")).status == 200)
        // The provider asks for 7 seconds, which this caller does not have: nothing is tried again.
        let limited = try house.call(
            token: token, body: House.chat("openai/fail-429"), headers: ["x-gatehouse-timeout: 5s"])
        #expect(limited.status == 429, "\(limited)")
        try waitUntil("the picture has the key's health") {
            let table = try house.command(["key", "list", "--tenant", "acme"]).out
            return table.contains("COOLING until ") && table.contains(" with fail-429")
        }
        row = try #require(try list(house, ["key", "list"]).first { $0["id"] as? String == id })
        #expect(
            row["lastSuccess"] != nil && row["lastRateLimited"] != nil && row["lastRejected"] == nil, "\(row)"
        )
        try house.command(["key", "set", id, "--no-weight", "--all-models"])
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-luna")).status == 200)
        let batch = try house.token("acme", ["--name", "nightly", "--batch"])
        #expect(batch.hasPrefix("gth_"))
        #expect(try house.command(["token", "list"]).out.contains("batch"))
    }

    // MARK: Looking before

    @Test func `a dry run says where the last calls would go, and changes nothing`() throws {
        let house = try House(routes: Self.routes)
        let token = try house.tenant("acme")
        let id = try key(house, of: "openai")
        let trip = ["breaker", "trip", "openai/gpt-6-sol", "--dry-run"]
        #expect(try house.command(trip, expect: 1).err.contains("no engine runs"))
        try house.start()
        for number in 0..<4 {
            #expect(try house.call(token: token, body: House.chat("pair", "\(number)")).status == 200)
            #expect(
                try house.call(token: token, body: House.chat("openai/gpt-6-sol", "\(number)")).status == 200)
        }
        try waitUntil("the calls are in the figures") {
            try object(house, trip)["calls"] as? Int == 8
        }
        let radius = try object(house, trip)
        let targets = radius["targets"] as? [[String: Any]] ?? []
        let luna = targets.first { $0["target"] as? String == "openai/gpt-6-luna" }
        #expect(luna?["rateBefore"] as? Double == 0 && (luna?["rateAfter"] as? Double ?? 0) > 0, "\(radius)")
        let failing = radius["failing"] as? [[String: Any]] ?? []
        #expect(failing.first?["tenant"] as? String == "acme" && failing.first?["calls"] as? Int == 4)
        let told = try house.command(trip).out
        #expect(told.contains("nothing is changed; 8 calls") && told.contains("FAILS      acme: 4 calls"))
        #expect(told.contains("cost       $") && told.contains("openai/gpt-6-luna"), "\(told)")

        let revoke = try object(house, ["key", "revoke", id, "--dry-run"])
        #expect(((revoke["failing"] as? [[String: Any]])?.first?["calls"] as? Int) == 8, "\(revoke)")
        let drain = try object(house, ["key", "drain", id, "--dry-run"])
        #expect((drain["failing"] as? [[String: Any]])?.isEmpty == true, "\(drain)")
        #expect((drain["note"] as? String)?.contains("8 calls of acme would fail") == true, "\(drain)")
        let weight = try house.command(["route", "weight", "pair", "openai/gpt-6-sol", "0"]).out
        #expect(weight.contains("nothing is changed"), "\(weight)")

        let view = try object(house, ["breaker", "show", "openai/gpt-6-sol"])
        #expect(view["position"] as? String == "closed" && view["hold"] == nil, "\(view)")
        // Who uses a target is worked out once a second.
        try waitUntil("the picture says who depends on it") {
            let shown = try house.command(["breaker", "show", "openai/gpt-6-sol"]).out
            return shown.contains("used by    acme") && shown.contains("1 of 1 usable: 1 ok")
        }
        try house.command(["breaker", "trip", "openai/gpt-6-sol"], expect: 2)
        try house.command(["breaker", "trip", "openai/gpt-6-sol", "--reason", "x", "--json"], expect: 2)
        try house.command(["key", "revoke", id], expect: 2)
    }

    // MARK: Support

    private func list(_ house: House, _ arguments: [String]) throws -> [[String: Any]] {
        let text = try house.command(arguments + ["--json"]).out
        return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]])
    }

    private func object(_ house: House, _ arguments: [String]) throws -> [String: Any] {
        let text = try house.command(arguments + ["--json"]).out
        return try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    private func key(_ house: House, of provider: String) throws -> String {
        try #require(
            try list(house, ["key", "list"]).first { $0["provider"] as? String == provider }?["id"] as? String
        )
    }
}
