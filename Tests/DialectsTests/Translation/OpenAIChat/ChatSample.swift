import Dialects
import Domain

/// Conversations for the tests of OpenAI's chat completions.
enum ChatSample {
    /// What the fixture `request.json` says.
    static var everything: Conversation {
        var conversation = Conversation()
        conversation.system = [.text("Be brief."), .text("Be kind.", cache: .oneHour)]
        conversation.turns = turns
        conversation.tools = [
            .init(
                name: "get_weather", description: "The weather of a city.",
                schema: .object([
                    "type": .string("object"),
                    "properties": .object(["city": .object(["type": .string("string")])]),
                    "required": .array([.string("city")]),
                ]), strict: true),
            .init(name: "get-time", cache: .fiveMinutes),
        ]
        conversation.toolChoice = .any
        conversation.parallelToolCalls = false
        conversation.output = .schema(
            name: "report", description: "A report.", schema: .object(["type": .string("object")]),
            strict: true)
        conversation.maxOutputTokens = 4_000
        conversation.temperature = "0.70"
        conversation.topP = "0.9"
        conversation.topK = "40"
        conversation.presencePenalty = "0.5"
        conversation.frequencyPenalty = "-0.5"
        conversation.seed = "7"
        conversation.stopSequences = ["END", "STOP"]
        conversation.reasoning = .effort("low")
        conversation.endUser = "customer-17"
        conversation.streamed = true
        return conversation
    }

    private static var turns: [Conversation.Turn] {
        let anthropic = { (text: String) in OpaqueToken(text, of: .anthropicMessages) }
        return [
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
                    .reasoning(.init(text: "I need the weather.", token: anthropic("EqoBCkgIBBABGAI="))),
                    .reasoning(.init(text: "", token: anthropic("RW5jcnlwdGVk"), isHidden: true)),
                    .text("Let me look."),
                    .toolCall(
                        .init(
                            id: "call_1", name: "get_weather", arguments: #"{"city":"Paris","days":1.50}"#,
                            signature: OpaqueToken("Cp0B", of: .geminiContents))),
                    .toolCall(.init(id: "call_2", name: "get-time", arguments: "")),
                ]),
            .init(
                .user,
                [
                    .toolResult(
                        .init(
                            call: "call_1", name: "get_weather",
                            parts: [
                                .text("21 degrees"),
                                .image(.inline(mediaType: "image/jpeg", data: "/9j/4AAQ")),
                            ])),
                    .toolResult(.init(call: "call_2", name: "get-time", parts: [.text("no clock")])),
                ]),
            .init(.assistant, [.refusal("I cannot say.")]),
            .init(.user, [.text("Grüße 🌦")]),
        ]
    }
}
