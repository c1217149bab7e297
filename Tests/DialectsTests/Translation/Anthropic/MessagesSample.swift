import Dialects
import Domain

/// Conversations for the tests of Anthropic's messages.
enum MessagesSample {
    /// What the fixture `request.json` says.
    static var everything: Conversation {
        var conversation = Conversation()
        conversation.system = [.text("Be brief."), .text("Be kind.", cache: .oneHour)]
        let own = { (text: String) in OpaqueToken(text, of: .anthropicMessages) }
        conversation.turns = [
            .init(
                .user,
                [
                    .image(.inline(mediaType: "image/png", data: "iVBORw0KGgo=")),
                    .image(.link("https://example.com/cat.webp"), cache: .fiveMinutes),
                    .text("Which cat, and the weather in Paris?"),
                ]),
            .init(
                .assistant,
                [
                    .reasoning(.init(text: "I need the weather.", token: own("EqoBCkgIBBABGAI="))),
                    .reasoning(.init(text: "", token: own("RW5jcnlwdGVk"), isHidden: true)),
                    .text("Let me look."),
                    .toolCall(
                        .init(
                            id: "toolu_01", name: "get_weather", arguments: #"{"city":"Paris","days":1.50}"#)
                    ),
                    .toolCall(.init(id: "toolu_02", name: "get-time", arguments: "{}"), cache: .fiveMinutes),
                ]),
            .init(
                .user,
                [
                    .toolResult(
                        .init(
                            call: "toolu_01", name: "get_weather",
                            parts: [
                                .text("21 degrees"),
                                .image(.inline(mediaType: "image/jpeg", data: "/9j/4AAQ")),
                            ]), cache: .fiveMinutes),
                    .toolResult(
                        .init(call: "toolu_02", name: "get-time", parts: [.text("no clock")], isError: true)),
                    .text("Go on."),
                ]),
            .init(.assistant, [.text("It is warm.")]),
            .init(.user, [.text("Grüße 🌦")]),
        ]
        conversation.tools = [
            .init(
                name: "get_weather", description: "The weather of a city.",
                schema: .object([
                    "type": .string("object"),
                    "properties": .object(["city": .object(["type": .string("string")])]),
                    "required": .array([.string("city")]),
                ]), strict: true),
            .init(name: "get-time", schema: .object(["type": .string("object")]), cache: .fiveMinutes),
        ]
        conversation.toolChoice = .auto
        conversation.parallelToolCalls = false
        conversation.output = .schema(
            name: "output", description: nil,
            schema: .object(["type": .string("object"), "properties": .object([])]), strict: true)
        conversation.maxOutputTokens = 4_000
        conversation.temperature = "1.0"
        conversation.topP = "0.95"
        conversation.topK = "40"
        conversation.stopSequences = ["END"]
        conversation.reasoning = .budget(2_048)
        conversation.endUser = "u-1"
        conversation.streamed = true
        return conversation
    }
}
