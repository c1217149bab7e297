import Foundation
import Glibc
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

    @Test func `the door is the option, else the variable, else the usual place of whoever has no folder`()
        throws
    {
        let folder = try TemporaryFolder()
        let usual = folder.path + "/usual.sock"
        func door(
            _ socket: String?, data: String? = nil, _ variables: [String: String] = [:]
        ) throws -> String? {
            var known = ["HOME": folder.path + "/none"]
            known.merge(variables) { $1 }
            return try Places(data: data, config: nil, socket: socket, usual: usual) { known[$0] }.door
        }
        #expect(try door(nil) == nil, "nothing is there")
        #expect(mknod(usual, S_IFSOCK | 0o600, 0) == 0)
        #expect(try door(nil) == usual)
        #expect(try door(nil, ["GATEHOUSE_SOCKET": "/run/a.sock"]) == "/run/a.sock")
        #expect(try door("/run/b.sock", ["GATEHOUSE_SOCKET": "/run/a.sock"]) == "/run/b.sock")
        #expect(try door(nil, data: folder.path + "/none") == nil, "who names a folder means that folder")
        #expect(try door(nil, ["GATEHOUSE_HOME": folder.path + "/none"]) == nil)
        #expect(try door(nil, ["HOME": folder.path, "XDG_DATA_HOME": folder.path + "/x"]) == usual)
        #expect(mkdir(folder.path + "/x", 0o700) == 0 && mkdir(folder.path + "/x/gatehouse", 0o700) == 0)
        #expect(try door(nil, ["XDG_DATA_HOME": folder.path + "/x"]) == nil, "its own folder is there")
        #expect(try Places(data: "/d", config: nil, socket: "/run/b.sock").home.door == nil)
    }

    @Test func `an empty variable counts as none`() { #expect(Places.variable("GATEHOUSE_NOT_SET") == nil) }
}
