import Dialects
import Domain
import Testing

@Suite struct GeminiThinkingTests {
    /// `thinkingConfig`, and whether the wish counts as lost.
    private func config(
        _ wish: Conversation.ReasoningWish, _ model: String
    ) throws -> (json: String?, isLost: Bool) {
        var conversation = Conversation()
        conversation.turns = [.init(.user, [.text("Hi")])]
        conversation.reasoning = wish
        var losses = Losses()
        let body = try GeminiRequestEncoder.encode(
            conversation, for: WireTarget(model: model), losses: &losses)
        return (body["generationConfig"]?["thinkingConfig"]?.json, losses.fields == ["reasoning"])
    }

    private static let shown = #"{"includeThoughts":true,"thinkingLevel":"#

    @Test(
        arguments: [
            (.effort("minimal"), "gemini-3.6-flash", shown + #""MINIMAL"}"#, false),
            (.effort("minimal"), "gemini-3.7-flash", shown + #""LOW"}"#, true),
            (.effort("minimal"), "gemini-3.1-pro-preview", shown + #""LOW"}"#, true),
            (.effort("minimal"), "gemini-4-argon", shown + #""LOW"}"#, true),
            (.effort("minimal"), "gemini-flash-latest", shown + #""LOW"}"#, true),
            (.effort("minimal"), "gemini-3.5-flash-lite", shown + #""MINIMAL"}"#, false),
            (.effort("low"), "models/gemini-3.1-pro-preview", shown + #""LOW"}"#, false),
            (.effort("medium"), "gemini-4-argon", shown + #""MEDIUM"}"#, false),
            (.effort("high"), "gemini-pro-latest", shown + #""HIGH"}"#, false),
            (.effort("xhigh"), "gemini-3.8-flash", shown + #""HIGH"}"#, true),
            (.effort("max"), "gemini-3.8-flash", shown + #""HIGH"}"#, true),
            (.adaptive, "gemini-3.8-flash", #"{"includeThoughts":true}"#, false),
            (.off, "gemini-3.8-flash", #"{"thinkingLevel":"LOW"}"#, true),
            (.off, "gemini-3-flash-preview", #"{"thinkingLevel":"MINIMAL"}"#, true),
            (.budget(0), "gemini-3-flash-preview", #"{"thinkingLevel":"MINIMAL"}"#, true),
            (.budget(2_048), "gemini-3.8-flash", shown + #""LOW"}"#, true),
            (.budget(2_049), "gemini-3.8-flash", shown + #""MEDIUM"}"#, true),
            (.budget(.max), "gemini-3.8-flash", shown + #""HIGH"}"#, true),
        ] as [(Conversation.ReasoningWish, String, String, Bool)])
    func `models from 3 on are told a level`(
        wish: Conversation.ReasoningWish, model: String, json: String, isLost: Bool
    ) throws {
        #expect(try config(wish, model) == (json, isLost))
    }

    private static let spent = #"{"includeThoughts":true,"thinkingBudget":"#

    @Test(
        arguments: [
            (.effort("minimal"), "gemini-2.5-flash", spent + "1024}", false),
            (.effort("low"), "gemini-2.5-pro", spent + "1024}", false),
            (.effort("medium"), "gemini-2.5-flash", spent + "8192}", false),
            (.effort("high"), "gemini-2.5-flash-lite", spent + "24576}", false),
            (.effort("max"), "gemini-2.5-pro", spent + "32768}", false),
            (.effort("max"), "gemini-2.5-flash", spent + "24576}", true),
            (.adaptive, "gemini-2.5-flash", spent + "-1}", false),
            (.off, "gemini-2.5-flash", #"{"thinkingBudget":0}"#, false),
            (.off, "gemini-2.5-pro", #"{"thinkingBudget":128}"#, true),
            (.budget(-5), "gemini-2.5-flash-lite", #"{"thinkingBudget":0}"#, false),
            (.budget(1), "gemini-2.5-flash", spent + "1}", false),
            (.budget(1), "gemini-2.5-flash-lite", spent + "512}", true),
            (.budget(30_000), "gemini-2.5-pro", spent + "30000}", false),
            (.budget(.max), "gemini-2.5-flash", spent + "24576}", true),
        ] as [(Conversation.ReasoningWish, String, String, Bool)])
    func `models of 2,5 are told a budget within what they take`(
        wish: Conversation.ReasoningWish, model: String, json: String, isLost: Bool
    ) throws {
        #expect(try config(wish, model) == (json, isLost))
    }

    @Test(arguments: ["gemini-2.0-flash", "gemini-1.5-pro-002", "gemma-3-27b-it", "tunedModels/mine", ""])
    func `models that do not think are told nothing`(model: String) throws {
        #expect(try config(.effort("high"), model) == (nil, true))
        #expect(try config(.adaptive, model) == (nil, true))
        #expect(try config(.off, model) == (nil, false))
    }
}
