/// The sampling parameters as a model of Anthropic's takes them, in the caller's spelling.
///
/// Sources: Anthropic API reference, "Create a Message" in the version of 2023-06-01; "Extended thinking" for what
/// thinking forbids; models from 4.7 on take none. Claude 4.5 refuses a temperature beside `top_p`, whatever they say
/// ("`temperature` and `top_p` cannot both be specified for this model"), so one that says the default goes.
struct MessagesSampling {
    private(set) var temperature: String?
    private(set) var topP: String?
    private(set) var topK: String?

    init(
        _ conversation: Conversation, _ thinking: MessagesThinking, losses: inout Losses
    ) throws(TranslationRefusal) {
        temperature = try Self.temperature(conversation, thinking, losses: &losses)
        topP = Self.topP(conversation, thinking, losses: &losses)
        topK = Self.topK(conversation, thinking, losses: &losses)
        guard temperature != nil, let share = topP else { return }
        if Double(share) == 1 {
            topP = nil
        } else if temperature.flatMap({ Double($0) }) == 1 {
            temperature = nil
        }
    }

    /// Anthropic's goes from 0 to 1, where 1 is its default.
    private static func temperature(
        _ conversation: Conversation, _ thinking: MessagesThinking, losses: inout Losses
    ) throws(TranslationRefusal) -> String? {
        guard let number = conversation.temperature else { return nil }
        guard let value = Double(number), (0...1).contains(value) else {
            throw TranslationRefusal("temperature", "must be between 0 and 1 for Anthropic")
        }
        guard thinking.isOn || !thinking.takesSampling else { return number }
        if value != 1 { losses.note("temperature") }
        return nil
    }

    private static func topP(
        _ conversation: Conversation, _ thinking: MessagesThinking, losses: inout Losses
    ) -> String? {
        guard let number = conversation.topP else { return nil }
        let value = Double(number) ?? 0
        if thinking.takesSampling, !thinking.isOn || value >= 0.95 { return number }
        if value != 1 { losses.note("top_p") }
        return nil
    }

    private static func topK(
        _ conversation: Conversation, _ thinking: MessagesThinking, losses: inout Losses
    ) -> String? {
        guard let number = conversation.topK else { return nil }
        guard thinking.isOn || !thinking.takesSampling else { return number }
        losses.note("top_k")
        return nil
    }
}
