import Dialects
import Domain

/// Conversations for the tests of Gemini's format.
enum GeminiSample {
    /// What the fixture `request.json` says.
    static var everything: Conversation {
        var conversation = Conversation()
        conversation.system = [.text("Be brief."), .text(""), .text("Be kind.", cache: .oneHour)]
        conversation.turns = turns
        conversation.tools = [
            .init(
                name: "get_weather", description: "The weather of a city.",
                schema: .object([
                    "type": .string("object"),
                    "properties": .object(["city": .object(["type": .string("string")])]),
                    "required": .array([.string("city")]),
                ]), strict: true),
            .init(name: "get-time", description: "", cache: .fiveMinutes),
        ]
        conversation.toolChoice = .named("get_weather")
        conversation.parallelToolCalls = true
        conversation.output = .schema(
            name: "answer", description: "The answer.",
            schema: .object([
                "type": .string("object"), "properties": .object(["a": .object(["type": .string("string")])]),
            ]), strict: true)
        conversation.maxOutputTokens = 4_000
        conversation.temperature = "0.70"
        conversation.topP = "0.9"
        conversation.topK = "40"
        conversation.presencePenalty = "0.5"
        conversation.frequencyPenalty = "-0.5"
        conversation.seed = "7"
        conversation.stopSequences = ["END", "\n\nHuman:"]
        conversation.reasoning = .effort("low")
        conversation.endUser = "u-1"
        conversation.streamed = true
        return conversation
    }

    private static var turns: [Conversation.Turn] {
        let own = GeminiFixture.own
        return [
            .init(.user, [.image(.inline(mediaType: "IMAGE/png", data: "iVBORw0KGgo="))]),
            .init(
                .user,
                [
                    .image(.link("https://example.com/cat.webp?size=2"), cache: .fiveMinutes),
                    .text("Which cat, and the weather in Paris?"),
                ]),
            .init(
                .assistant,
                [
                    .reasoning(.init(text: "**Weather**\n\nThe user asks for it.", token: own(""))),
                    .reasoning(.init(text: "I need two tools.", token: own("EhIKEA=="))),
                    .reasoning(.init(text: "", token: own("text:CiQBVKhc7g=="))),
                    .reasoning(.init(text: "", token: OpaqueToken("RW5j", of: .bedrockConverse))),
                    .text("Let me look."),
                    .toolCall(
                        .init(
                            id: "8f2k3jd1", name: "get_weather",
                            arguments: #"{"city": "Paris", "days": 1.50}"#,
                            signature: own("CqQBAVSoXO4="))),
                    .toolCall(.init(id: "call_2", name: "get-time", arguments: "")),
                ]),
            .init(
                .user,
                [
                    .toolResult(
                        .init(call: "call_2", name: "get-time", parts: [.text("no clock")], isError: true)),
                    .toolResult(
                        .init(
                            call: "8f2k3jd1",
                            parts: [
                                .text("21 degrees"), .text("sunny"),
                                .image(.inline(mediaType: "image/jpg", data: "/9j/4AAQ")),
                            ])),
                    .text("Go on."),
                ]),
            .init(
                .assistant,
                [.text("It is warm."), .reasoning(.init(text: "", token: own("end:EjQKMgEM")))]),
            .init(.user, [.text("Grüße 🌦")]),
        ]
    }
}
