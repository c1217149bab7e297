import Domain
import Operations
import Testing

@testable import Console

@Suite struct BlastDialogTests {
    private static let sizes = [(80, 24), (120, 40), (40, 12)]

    static func radius() -> BlastRadius {
        BlastRadius(
            calls: 1_344, seconds: 60,
            targets: [
                .init(target: "openai/gpt-large", rateBefore: 22.4, rateAfter: 0),
                .init(target: "mistral/medium", rateBefore: 0.4, rateAfter: 15.6),
                .init(target: "vllm-a/small-embed", rateBefore: 5.5, rateAfter: 11.5),
                .init(target: "openai/gpt-small", rateBefore: 12.9, rateAfter: 12.92),
            ],
            failing: [.init(tenant: Fixture.tenant("globex"), calls: 72, why: "no key for another provider")],
            costPerHourBefore: Money(nanoUSD: 1_710_000_000), costPerHourAfter: Money(nanoUSD: 2_300_000_000),
            latencyBefore: 1_100, latencyAfter: 1_450)
    }

    private func question(_ effects: [ConsoleEffect]) -> (id: Int, query: EngineQuery)? {
        for effect in effects { if case .ask(let id, let query) = effect { return (id, query) } }
        return nil
    }

    private func open(
        _ keys: String, _ width: Int = 80, _ height: Int = 24
    ) throws -> (ConsoleModel, Int, EngineQuery) {
        var model = Scene.incident.model(width, height)
        let asked = try #require(question(model.type(keys)))
        return (model, asked.id, asked.query)
    }

    @Test func `each dialog that moves traffic asks for its own change`() throws {
        let target = Fixture.target("openai", "gpt-large")
        #expect(try open("3jT").2 == .blastRadius(.breaker(target, .open)))
        #expect(try open("3jC").2 == .blastRadius(.breaker(target, .closed)))
        #expect(try open("3jH").2 == .blastRadius(.breaker(target, .asIs)))
        #expect(try open("5d").2 == .blastRadius(.drainKey(Fixture.id(100))))
        #expect(try open("5x").2 == .blastRadius(.revokeKey(Fixture.id(100))))
    }

    @Test func `the dialog opens at once and fills in when the answer comes`() throws {
        var (model, id, _) = try open("3jT")
        #expect(model.screen.contains("replaying the last 60 s ...") && model.screen.contains("Type openai"))
        _ = model.update(.answered(id: id, .success(.blastRadius(Self.radius()))))
        let screen = model.screen
        #expect(!screen.contains("replaying"))
        for words in [
            "1 344 calls of the last 60 s", "$1.71/h -> $2.30/h, +$0.59/h", "p95 1.10s -> about 1.45s",
            "22.4 ->  0.0 rq/s  openai/gpt-large", " 0.4 -> 15.6 rq/s  mistral/medium", "globex 72 calls",
        ] {
            #expect(screen.contains(words), "\(words)\n\(screen)")
        }
        #expect(!screen.contains("12.9 ->"), "a target that does not change is not listed")
    }

    @Test func `the frames are the ones that were looked at`() throws {
        for (name, keys) in [("trip", "3jT"), ("drain", "5d"), ("revoke", "5x")] {
            for (width, height) in Self.sizes {
                var (model, id, _) = try open(keys, width, height)
                _ = model.update(.answered(id: id, .success(.blastRadius(Self.radius()))))
                GoldenFrame.check(model.frame(), "dialog-\(name)-replayed.\(width)x\(height)")
            }
        }
    }

    @Test func `a dialog asks once, and anew when it is opened again`() throws {
        var (model, first, _) = try open("3jT")
        #expect(question(model.press(.tab, .character("x"), .tab)) == nil)
        #expect(question(model.update(.snapshot(Scene.incident.snapshot()))) == nil)
        model.press(.escape)
        let again = try #require(question(model.type("T")))
        #expect(again.id != first)
        _ = model.update(.answered(id: first, .success(.blastRadius(Self.radius()))))
        #expect(model.screen.contains("replaying"), "an answer to the closed dialog is dropped")
        _ = model.update(.answered(id: again.id, .success(.blastRadius(Self.radius()))))
        #expect(!model.screen.contains("replaying"))
    }

    @Test func `what was typed stays when the answer comes`() throws {
        var (model, id, _) = try open("3jT")
        model.press(.tab)
        model.type("elevated errors")
        _ = model.update(.answered(id: id, .success(.blastRadius(Self.radius()))))
        model.press(.tab)
        model.type("openai")
        guard case .perform(_, .breakerTrip(_, 900, "elevated errors"), nil)? = model.press(.enter).first
        else {
            Issue.record("no trip\n\(model.screen)")
            return
        }
    }

    @Test func `without an answer the dialog says so and still acts`() throws {
        var (model, id, _) = try open("3jT")
        _ = model.update(.answered(id: id, .failure(CommandRefusal(.unavailable, "the engine is busy"))))
        #expect(model.screen.contains("not known: the engine is busy"))
        model.press(.tab)
        model.type("x")
        model.press(.tab)
        model.type("openai")
        guard case .perform(_, .breakerTrip, nil)? = model.press(.enter).first else {
            Issue.record("no trip\n\(model.screen)")
            return
        }
    }

    @Test func `no call, no loss and a sample are told in words`() throws {
        var (model, id, _) = try open("3jT")
        _ = model.update(.answered(id: id, .success(.blastRadius(BlastRadius()))))
        #expect(model.screen.contains("no call came in the last 60 s"))
        var radius = BlastRadius(calls: 4_000, sampled: true, note: "prices of 12 calls are not known")
        radius.targets = []
        (model, id, _) = try open("3jT")
        _ = model.update(.answered(id: id, .success(.blastRadius(radius))))
        let screen = model.screen
        #expect(screen.contains("(sampled)") && screen.contains("prices of 12 calls"))
        #expect(screen.contains("no call of any tenant") && screen.contains("none would go elsewhere"))
        #expect(screen.contains("latency      not known"))
    }

    @Test func `many targets and tenants are counted, not listed`() throws {
        var radius = Self.radius()
        radius.targets = (0..<20).map { .init(target: "p/m-\($0)", rateBefore: Double($0) + 1, rateAfter: 0) }
        radius.failing = (0..<20).map { .init(tenant: Fixture.tenant("t-\($0)"), calls: 3, why: "no key") }
        for (width, height) in [(80, 24), (40, 12), (250, 60), (30, 6)] {
            var (model, id, _) = try open("3jT", width, height)
            _ = model.update(.answered(id: id, .success(.blastRadius(radius))))
            #expect(model.frame().cells.count == width * height)
            guard width >= 80 else { continue }
            #expect(model.screen.contains("and 17 more targets"))
            #expect(model.screen.contains("and 18 more tenants with 54 calls"))
        }
    }

    @Test func `on a small screen page up shows what stands above the fields`() throws {
        var (model, id, _) = try open("3jT", 40, 12)
        _ = model.update(.answered(id: id, .success(.blastRadius(Self.radius()))))
        #expect(model.screen.contains("globex 72") && model.screen.contains("PgUp"))
        model.press(.pageUp, .pageUp, .pageUp)
        #expect(model.screen.contains("Forces it OPEN"))
        model.press(.tab)
        #expect(!model.screen.contains("Forces it OPEN"))
    }

    @Test func `a weight is looked at from the palette and changes nothing`() throws {
        for (width, height) in Self.sizes {
            var model = Scene.incident.model(width, height)
            model.type(":weight smart openai/gpt-large 40")
            let asked = try #require(question(model.press(.enter)))
            #expect(
                asked.query
                    == .blastRadius(
                        .weight(model: Fixture.model("smart"), Fixture.target("openai", "gpt-large"), 40)))
            _ = model.update(.answered(id: asked.id, .success(.blastRadius(Self.radius()))))
            GoldenFrame.check(model.frame(), "dialog-weight.\(width)x\(height)")
            model.press(.escape)
            #expect(model.dialogs.isEmpty)
        }
    }

    @Test func `a weight that is none is not offered`() {
        for typed in [
            "weight smart openai/gpt-large 10001", "weight smart nowhere 4", "weight smart a/b x", "weight a",
        ] {
            #expect(WeightWords(typed) == nil, "\(typed)")
        }
    }
}
