import Foundation
import TestKit
import TestTraits
import Testing

@Suite(.serialized, .ownThread) struct ConsoleOnTerminalTests {
    @Test func `an operator sees a call, rotates a key, trips a breaker and leaves the terminal as it was`()
        throws
    {
        let house = try House()
        let token = try house.tenant("acme")
        let screen = try Screen(house, width: 80, height: 24)
        try screen.shows("LIVE")
        let port = try screen.port()
        house.adopt(port)

        // A call appears in Traffic.
        #expect(try house.call(token: token, body: House.chat("failover", "one")).status == 200)
        try screen.press("2")
        try screen.shows("failover")
        try screen.shows("openai +1")

        // A key is rotated: pasted, masked, verified, switched.
        try screen.press("5", "j")
        try screen.shows(">openai/main")
        try screen.press("r")
        try screen.shows("Rotate key: openai/main")
        try screen.paste("sk-test-SUCCESSOR-5c6d7e8f")
        try screen.shows("[**************************")
        #expect(!(try screen.text()).contains("SUCCESSOR"))
        // Without a trial: all calls at once.
        try screen.press("BTab", "BTab", "Left", "Tab", "Tab")
        try screen.press("Enter")
        try screen.shows("verified")
        try screen.shows("DRAIN")
        try screen.press("Escape")
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol", "two")).status == 200)
        #expect(try house.requests().last?["key"] as? String == "Bearer sk-test-SUCCESSOR-5c6d7e8f")

        // A breaker is tripped; the next call goes to the second target.
        try screen.press("3", "g")
        try screen.shows(">openai/fail-500")
        try screen.press("j", "j")
        try screen.shows(">openai/gpt-6-sol")
        try screen.press("T")
        try screen.shows("Trip breaker: openai/gpt-6-sol")
        try screen.press("Tab")
        try screen.type("status page")
        try screen.press("Tab")
        try screen.type("openai")
        try screen.press("Enter")
        try screen.shows("OPEN HELD")
        let moved = try house.call(token: token, body: House.chat("pair", "three"))
        #expect(moved.head.contains("x-gatehouse-target: openai/gpt-6-luna"))

        // The audit lists both.
        try screen.press("8")
        try screen.shows("breaker.trip")
        try screen.shows("key.rotate")

        // It is verified, and exported into a file that anybody can verify.
        try screen.press("v")
        try screen.shows("the chain is intact: ")
        try screen.shows("Compare the key with the one that was noted")
        try screen.press("Enter", "e")
        try screen.shows("Export the audit")
        try screen.type(house.data + "/audit.jsonl")
        try screen.press("Enter", "Enter")
        try screen.shows("outside")
        try screen.press("C-u")
        let export = house.folder.path + "/audit.jsonl"
        try screen.type(export)
        try screen.press("Enter", "Enter")
        try screen.shows("The audit is exported")
        try screen.press("Enter")
        let key = try house.command(["audit", "key"]).out.split(separator: "\n")[0].split(separator: " ")
        let verified = try Tool.run(
            try House.binary, ["audit", "verify", export, "--public-key", String(key[key.count - 1])])
        #expect(verified.out.contains("the audit verifies: "))
        #expect(try screen.text().contains("audit.export"))

        // Small, and back.
        try screen.resize(40, 12)
        try screen.shows("small screen", or: "8 Audit", "Audit")
        try screen.resize(80, 24)
        try screen.shows("breaker.trip")

        // Every pane was on the screen, and on none stood a key.
        for (pane, title) in zip(["1", "4", "6", "7"], ["Overview", "acme", "Cache", "Costs"]) {
            try screen.press(pane)
            try screen.shows("[\(pane) ")
            try screen.shows(title)
        }
        for secret in [House.openAIKey, House.anthropicKey, "sk-test-SUCCESSOR-5c6d7e8f", token] {
            #expect(!screen.seen.contains(secret.dropFirst(secret.count / 2)))
        }

        // SIGTERM restores the terminal and ends the engine.
        try screen.endEngine(SIGTERM)
        try screen.shows("LEFT rc=0 echo=1")
    }

    @Test func `a crash gives the terminal back as it was`() throws {
        let house = try House()
        let screen = try Screen(house, width: 80, height: 24)
        try screen.shows("LIVE")
        try screen.endEngine(SIGABRT)
        try screen.shows("LEFT rc=134 echo=1")
    }

    @Test func `the first start asks for a passphrase, and leaving it makes nothing`() throws {
        let house = try House()
        try FileManager.default.removeItem(atPath: house.data)
        let screen = try Screen(house, width: 80, height: 24)
        try screen.shows("new passphrase")
        try screen.type("short")
        try screen.press("Enter")
        try screen.shows("once more")
        try screen.type("other")
        try screen.press("Enter")
        try screen.shows("the two passphrases differ")
        try screen.shows("LEFT rc=1 echo=1")
        #expect(!FileManager.default.fileExists(atPath: house.data + "/control.sqlite"))
    }

    @Test func `when the terminal goes away the engine goes on serving`() throws {
        let house = try House()
        let token = try house.tenant("acme")
        let screen = try Screen(house, width: 80, height: 24)
        try screen.shows("LIVE")
        house.adopt(try screen.port())
        let engine = try screen.enginePID()
        screen.kill()
        for index in 0..<3 {
            #expect(
                try house.call(token: token, body: House.chat("openai/gpt-6-sol", "\(index)")).status == 200)
        }
        let log = try String(contentsOfFile: house.data + "/gatehouse.log", encoding: .utf8)
        #expect(log.contains("keeps serving without a console"))
        kill(engine, SIGTERM)
        try waitUntil("the engine ends") { kill(engine, 0) != 0 }
    }
}
