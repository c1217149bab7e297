import Domain
import Testing

@testable import Access

@Suite struct AuthorizerTests {
    let fixture: AccessFixture

    init() throws { fixture = try AccessFixture() }

    private func code(_ key: String, _ model: String) throws -> CallFailure.Code? {
        let who = try fixture.identify(key)
        let model = try ModelName(model)
        do throws(CallFailure) {
            let allowed = try Authorizer.check(who, model: model)
            #expect(allowed.model == model)
            #expect(allowed.key.id == who.key.id)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func `a key without a list may use every model`() throws {
        #expect(try code("good", "anything") == nil)
    }

    @Test(arguments: [
        ("gpt-4o", true), ("gpt-4o-mini", false), ("GPT-4o", false), ("gpt-4", false), ("claude-", true),
        ("claude-sonnet-5", true), ("claude", false), ("Claude-x", false), ("claude-*", true), ("*", false),
    ]) func `a list allows its names and its beginnings`(model: String, allowed: Bool) throws {
        #expect(try code("narrow", model) == (allowed ? nil : .modelNotAllowed))
    }

    @Test func `a lone star allows every model`() throws {
        #expect(ModelAllowance([try ModelName("*")]).allows(try ModelName("gpt-4o")))
    }

    @Test func `a suspended tenant is refused whatever the model`() throws {
        #expect(try code("suspended", "gpt-4o") == .tenantSuspended)
    }

    @Test func `a listing holds the allowed models in their order`() throws {
        let models = try ["claude-b", "gpt-4", "gpt-4o", "claude-a"].map { try ModelName($0) }
        let allowed = try Authorizer.allowed(of: models, for: fixture.identify("narrow"))
        #expect(allowed.map(\.text) == ["claude-b", "gpt-4o", "claude-a"])
        let suspended = try fixture.identify("suspended")
        #expect(throws: CallFailure.self) { try Authorizer.allowed(of: models, for: suspended) }
    }
}
