import Foundation
import TestKit
import TestTraits
import Testing

/// Another gateway's configuration, brought over by the real program, and served.
@Suite(.serialized, .ownThread) struct ImportTests {
    private static func yaml(_ port: Int) -> String {
        """
        model_list:
          - model_name: fast
            litellm_params:
              model: openai/gpt-6-sol
              api_key: sk-MARKED-in-the-file
          - model_name: house
            litellm_params:
              model: openai/gpt-6-luna
              api_base: http://127.0.0.1:\(port)/v1
              api_key: os.environ/HOUSE_KEY
        litellm_settings:
          fallbacks: [{"house": ["fast"]}]
          callbacks: ["langfuse"]
        general_settings:
          master_key: sk-MARKED-master
        """
    }

    @Test func `an import shows all first, then adds what the engine serves, and no key comes along`() throws
    {
        let house = try House()
        let file = house.folder.path + "/config.yaml"
        try Self.yaml(house.providerPort).write(toFile: file, atomically: true, encoding: .utf8)
        let configuration = house.data + "/gatehouse.toml"
        let before = try String(contentsOfFile: configuration, encoding: .utf8)
        let shown = try house.command(["import", "litellm", file, "--dry-run"]).out
        #expect(try String(contentsOfFile: configuration, encoding: .utf8) == before)
        let done = try house.command(["import", "litellm", file]).out
        let after = try String(contentsOfFile: configuration, encoding: .utf8)
        #expect(after.hasPrefix(before) && after.contains("model = \"fast\""))
        for text in [shown, done, after] { #expect(!text.contains("MARKED-")) }
        for line in [
            "line 5 model_list[0].litellm_params.api_key: a key stands in the file",
            "line 13 litellm_settings.callbacks: nothing is sent elsewhere",
            "gatehouse key add TENANT openai --label imported",
        ] {
            #expect(shown.contains(line) && done.contains(line), "\(line)")
        }
        #expect(done.contains("1 providers and 2 routes were added"))
        // Twice is once too often: nothing is written then.
        let again = try house.command(["import", "litellm", file], expect: 1).err
        #expect(again.contains("nothing was written"))
        #expect(try String(contentsOfFile: configuration, encoding: .utf8) == after)

        let token = try house.tenant("acme")
        try house.start()
        #expect(try house.call(token: token, body: House.chat("fast")).status == 200)
        #expect(try house.call(token: token, body: House.chat("house")).status == 200)
    }

    @Test func `a file that is none is refused in words`() throws {
        let house = try House()
        let file = house.folder.path + "/config.yaml"
        #expect(try house.command(["import", "litellm", file], expect: 1).err.contains("cannot be read"))
        try "model_list: [".write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try house.command(["import", "litellm", file], expect: 1).err.contains("no YAML"))
        #expect(
            try house.command(["import", "litellm", file, "--value", "x"], expect: 2).err.contains(
                "NAME=VALUE"))
    }
}
