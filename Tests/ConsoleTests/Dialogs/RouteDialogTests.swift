import Domain
import Operations
import Testing

@testable import Console

@Suite struct RouteDialogTests {
    private func route() -> RouteExplanation {
        RouteExplanation(
            model: Fixture.model("smart"), tenant: Fixture.tenant("acme"), strategy: "cheapest",
            candidates: [
                .init(
                    place: 1, target: "openai/gpt-large", key: "main",
                    reason: "cheapest of those that are fit",
                    price: "$0.0121", firstToken: 410, running: 17),
                .init(
                    place: 2, target: "mistral/medium", key: "shared", payer: "platform",
                    reason:
                        "12% dearer than the first; it is probing, so it gets calls only when the first fails",
                    price: "$0.0136", firstToken: 620, running: 1),
                .init(
                    place: nil, target: "anthropic/claude-large", key: "main",
                    reason: "its breaker is OPEN, probes begin in 18 s", price: "$0.0190"),
                .init(place: nil, target: "vllm-a/small-embed", reason: "it cannot serve chat"),
            ])
    }

    private func question(_ effects: [ConsoleEffect]) -> (id: Int, query: EngineQuery)? {
        for effect in effects { if case .ask(let id, let query) = effect { return (id, query) } }
        return nil
    }

    @Test func `the frames are the ones that were looked at`() throws {
        for (width, height) in [(80, 24), (120, 40), (40, 12)] {
            var model = Scene.incident.model(width, height)
            model.type(":route smart acme")
            let asked = try #require(question(model.press(.enter)))
            #expect(model.screen.contains("asking the router"))
            #expect(
                asked.query == .route(model: Fixture.model("smart"), tenant: Fixture.tenant("acme")))
            _ = model.update(.answered(id: asked.id, .success(.route(route()))))
            GoldenFrame.check(model.frame(), "dialog-route.\(width)x\(height)")
        }
    }

    @Test func `every candidate can be scrolled to on a small screen`() throws {
        var model = Scene.incident.model(40, 12)
        model.type(":route smart acme")
        let asked = try #require(question(model.press(.enter)))
        _ = model.update(.answered(id: asked.id, .success(.route(route()))))
        #expect(!model.screen.contains("it cannot serve chat"))
        model.type("G")
        #expect(model.screen.contains("it cannot serve chat"))
        model.type("g")
        #expect(model.screen.contains("strategy cheapest"))
        model.type("q")
        #expect(model.dialogs.isEmpty)
    }

    @Test func `a refusal is shown as it is`() throws {
        var model = Scene.incident.model()
        model.type(":route nothing acme")
        let asked = try #require(question(model.press(.enter)))
        _ = model.update(
            .answered(id: asked.id, .failure(CommandRefusal(.notFound, "there is no route for nothing"))))
        #expect(model.screen.contains("there is no route for nothing"))
    }

    @Test func `w asks for the call under the cursor and for a tenant's model`() throws {
        var model = Scene.incident.model()
        let call = try #require(question(model.type("2w")))
        #expect(call.query == .route(model: Fixture.model("claude-large"), tenant: Fixture.tenant("globex")))
        model.press(.escape)
        model.type("4")
        model.press(.enter)
        let line = try #require(question(model.type("w")))
        #expect(line.query == .route(model: Fixture.model("smart"), tenant: Fixture.tenant("acme")))
    }

    @Test func `a read-only console shows routes too`() {
        var model = Scene.incident.model(readOnly: true)
        model.type(":route smart acme")
        #expect(question(model.press(.enter)) != nil)
    }

    @Test func `half a command says what is missing and runs nothing`() {
        var model = Scene.incident.model()
        model.type(":route")
        #expect(model.screen.contains("type both names") || model.screen.contains("route smart acme"))
        #expect(RouteWords("route smart") == nil && RouteWords("route smart ACME") == nil)
    }
}
