import Dialects
import Testing

@Suite struct BedrockPathTests {
    @Test func `an id goes into the path with its colon encoded, twice for the signature`() throws {
        let path = try #require(BedrockPath(.converse, model: "anthropic.claude-sonnet-4-5-20250929-v1:0"))
        #expect(path.path == "/model/anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse")
        #expect(path.canonicalPath == "/model/anthropic.claude-sonnet-4-5-20250929-v1%253A0/converse")
    }

    @Test func `an ARN cannot add a step to the path`() throws {
        let arn = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.amazon.nova-lite-v1:0"
        let path = try #require(BedrockPath(.converseStream, model: arn))
        #expect(
            path.path == "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile"
                + "%2Fus.amazon.nova-lite-v1%3A0/converse-stream")
        #expect(
            path.canonicalPath
                == "/model/arn%253Aaws%253Abedrock%253Aus-east-1%253A123456789012%253Ainference-profile"
                + "%252Fus.amazon.nova-lite-v1%253A0/converse-stream")
        #expect(BedrockPath.canonical("/proxy" + path.path) == "/proxy" + path.canonicalPath)
        #expect(BedrockPath(.countTokens, model: "a")?.path == "/model/a/count-tokens")
    }

    @Test func `only unreserved characters stay as they are`() {
        let unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        #expect(BedrockPath(.converse, model: unreserved)?.path == "/model/\(unreserved)/converse")
        #expect(
            BedrockPath(.converse, model: "a b%?#\r\né/..")?.path
                == "/model/a%20b%25%3F%23%0D%0A%C3%A9%2F../converse")
        for scalar in 0..<128 {
            let text = String(Character(UnicodeScalar(UInt8(scalar))))
            let path = BedrockPath(.converse, model: "x" + text)?.path
            #expect(path?.utf8.count == "/model/x/converse".utf8.count + (unreserved.contains(text) ? 1 : 3))
        }
    }

    @Test(arguments: ["", ".", "..", String(repeating: "a", count: 2_049)])
    func `what is no single step of a path is refused`(model: String) {
        #expect(BedrockPath(.converse, model: model) == nil)
    }
}
