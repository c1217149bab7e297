import Foundation
import Testing

@testable import Assembly

/// Where a gateway is looked for, by options and environment.
@Suite struct PlacesTests {
    private func places(
        data: String? = nil, config: String? = nil, _ environment: [String: String] = [:]
    ) throws -> Places {
        try Places(data: data, config: config, environment: { environment[$0] })
    }

    @Test func `the option wins, then GATEHOUSE_HOME, then the XDG folder, then the home folder`() throws {
        var environment = ["HOME": "/h", "XDG_DATA_HOME": "/x", "GATEHOUSE_HOME": "/g"]
        #expect(try places(data: "/d", environment).data == "/d")
        #expect(try places(environment).data == "/g")
        environment["GATEHOUSE_HOME"] = nil
        #expect(try places(environment).data == "/x/gatehouse")
        environment["XDG_DATA_HOME"] = "relative"
        #expect(try places(environment).data == "/h/.local/share/gatehouse")
        environment["HOME"] = "relative"
        let failure = #expect(throws: CommandFailure.self) { try places(environment) }
        #expect(failure?.message.contains("--data DIR") == true)
        #expect(failure?.message.contains("GATEHOUSE_HOME") == true)
    }

    @Test func `everything lies in the data folder, the configuration where it is said to`() throws {
        let plain = try places(data: "/d")
        #expect(plain.config == "/d/gatehouse.toml" && plain.socket == "/d/engine.sock")
        #expect(plain.log == "/d/gatehouse.log" && plain.journal == "/d/usage.journal")
        #expect(try places(data: "/d", config: "/etc/g.toml").config == "/etc/g.toml")
    }

    @Test func `a relative path is taken from the working directory`() throws {
        let here = FileManager.default.currentDirectoryPath
        let found = try places(data: "d", config: "g.toml")
        #expect(found.data == "\(here)/d" && found.config == "\(here)/g.toml")
    }

    @Test func `slashes at the end change nothing`() throws {
        #expect(try places(data: "/d///") == places(data: "/d"))
        #expect(try places(["GATEHOUSE_HOME": "/g/"]) == places(data: "/g"))
        #expect(try places(data: "/").data == "/")
    }

    @Test func `an empty option is refused rather than read as the working directory`() throws {
        for (data, config) in [("", nil), ("/d", "")] as [(String, String?)] {
            let failure = #expect(throws: CommandFailure.self) { try places(data: data, config: config) }
            #expect(failure?.message.contains("empty") == true)
        }
    }

    @Test func `an empty variable counts as none`() { #expect(Places.variable("GATEHOUSE_NOT_SET") == nil) }
}
