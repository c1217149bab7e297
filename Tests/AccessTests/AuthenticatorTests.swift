import Cipher
import Domain
import Testing

@testable import Access

/// A directory with one key in every state, and the texts of those keys.
struct AccessFixture {
    static let now = WallTime(milliseconds: 1_800_000_000_000)
    let directory: AccessDirectory
    let texts: [String: [UInt8]]
    let pepper: PreparedHMAC
    let tenants: [TenantRecord]
    let keys: [VirtualKeyRecord]

    static func hash(_ text: [UInt8], _ pepper: PreparedHMAC) -> Digest256 {
        text.withUnsafeBytes { pepper.code(ofDigestOf: $0) }
    }

    init(extraTenants: Int = 0) throws {
        try SecureHeap.start()
        let pepper = try [UInt8](repeating: 7, count: 32).withUnsafeBytes { try PreparedHMAC(key: $0) }
        self.pepper = pepper
        let active = TenantRecord(id: .random(), name: try TenantName("acme"), created: Self.now)
        let suspended = TenantRecord(
            id: .random(), name: try TenantName("globex"), status: .suspended, created: Self.now)
        var keys: [VirtualKeyRecord] = []
        var texts: [String: [UInt8]] = [:]
        func add(
            _ name: String, _ tenant: TenantID, change: (inout VirtualKeyRecord) throws -> Void = { _ in }
        ) throws {
            let text = try VirtualKeyText.make()
            var key = VirtualKeyRecord(
                id: .random(), tenant: tenant, name: try Label(name), hash: Self.hash(text, pepper).bytes,
                created: Self.now)
            try change(&key)
            keys.append(key)
            texts[name] = text
        }
        try add("good", active.id)
        try add("expired", active.id) { $0.expires = Self.now }
        try add("ending", active.id) { $0.expires = Self.now + .milliseconds(1) }
        try add("revoked", active.id) { $0.revoked = Self.now }
        try add("suspended", suspended.id)
        try add("stranger", .random())
        try add("narrow", active.id) { $0.models = [try ModelName("gpt-4o"), try ModelName("claude-*")] }
        var tenants = [active, suspended]
        for index in 0..<extraTenants {
            let tenant = TenantRecord(id: .random(), name: try TenantName("t\(index)"), created: Self.now)
            tenants.append(tenant)
            keys.append(
                VirtualKeyRecord(
                    id: .random(), tenant: tenant.id, name: try Label("k"),
                    hash: SHA256.digest(Array("\(index)".utf8)).bytes, created: Self.now))
        }
        directory = AccessDirectory(tenants: tenants, virtualKeys: keys)
        self.texts = texts
        self.tenants = tenants
        self.keys = keys
    }

    func text(_ name: String) -> [UInt8] { texts[name, default: []] }

    func identify(_ name: String) throws(CallFailure) -> Identified {
        try text(name).span.bytes.withUnsafeBytes { (bytes) throws(CallFailure) in
            try Authenticator.identify(
                .init(xAPIKey: bytes), directory: directory, pepper: pepper, at: Self.now)
        }
    }
}

@Suite struct AuthenticatorTests {
    let fixture: AccessFixture

    init() throws { fixture = try AccessFixture() }

    private func refusal(_ body: () throws(CallFailure) -> Identified) -> CallFailure? {
        do throws(CallFailure) {
            _ = try body()
            return nil
        } catch {
            return error
        }
    }

    @Test func `a good key names its tenant and itself`() throws {
        let who = try fixture.identify("good")
        #expect(who.tenant.name.text == "acme")
        #expect(who.key.name.text == "good")
    }

    @Test func `an expired key is refused with its expiry date`() throws {
        let failure = try #require(refusal { () throws(CallFailure) in try fixture.identify("expired") })
        #expect(failure.code == .expiredKey)
        #expect(failure.status == 401)
        #expect(failure.message.contains("2027-01-15 at 08:00:00 UTC"))
        #expect(try fixture.identify("ending").key.name.text == "ending")
    }

    @Test func `while the vault is sealed no key is told from another: a clear 503`() throws {
        for text in [fixture.text("good"), try VirtualKeyText.make()] {
            let failure = refusal { () throws(CallFailure) in
                try text.span.bytes.withUnsafeBytes { (bytes) throws(CallFailure) in
                    try Authenticator.identify(
                        .init(xAPIKey: bytes), directory: fixture.directory, pepper: nil,
                        at: AccessFixture.now)
                }
            }
            #expect(failure?.code == .vaultSealed && failure?.status == 503)
        }
    }

    @Test func `a key whose stored row was changed from outside is not used, and says so`() throws {
        let good = try #require(fixture.keys.first { $0.name.text == "good" })
        for isWhole in [false, true] {
            let directory = AccessDirectory(
                tenants: fixture.tenants, virtualKeys: fixture.keys, distrusted: isWhole ? [] : [good.id],
                isDistrusted: isWhole)
            let failure = refusal { () throws(CallFailure) in
                try fixture.text("good").span.bytes.withUnsafeBytes { (bytes) throws(CallFailure) in
                    try Authenticator.identify(
                        .init(xAPIKey: bytes), directory: directory, pepper: fixture.pepper,
                        at: AccessFixture.now)
                }
            }
            #expect(failure?.status == 503 && failure?.message.contains("vault verify") == true)
        }
    }

    @Test func `a hash that somebody put into storage without the vault lets nobody in`() throws {
        let text = try VirtualKeyText.make()
        let planted = VirtualKeyRecord(
            id: .random(), tenant: fixture.tenants[0].id, name: try Label("mine"),
            hash: SHA256.digest(text).bytes, created: AccessFixture.now)
        let directory = AccessDirectory(tenants: fixture.tenants, virtualKeys: fixture.keys + [planted])
        let failure = refusal { () throws(CallFailure) in
            try text.span.bytes.withUnsafeBytes { (bytes) throws(CallFailure) in
                try Authenticator.identify(
                    .init(xAPIKey: bytes), directory: directory, pepper: fixture.pepper, at: AccessFixture.now
                )
            }
        }
        #expect(failure?.code == .invalidKey)
    }

    @Test func `unknown, revoked and orphaned keys get one and the same answer`() throws {
        let unknown = try VirtualKeyText.make()
        let failures = [
            refusal { () throws(CallFailure) in
                try unknown.span.bytes.withUnsafeBytes { (bytes) throws(CallFailure) in
                    try Authenticator.identify(
                        .init(xAPIKey: bytes), directory: fixture.directory, pepper: fixture.pepper,
                        at: AccessFixture.now)
                }
            },
            refusal { () throws(CallFailure) in try fixture.identify("revoked") },
            refusal { () throws(CallFailure) in try fixture.identify("stranger") },
        ]
        #expect(failures[0]?.code == .invalidKey)
        #expect(Set(failures).count == 1)
        #expect(fixture.directory.unusable.count == 1)
    }

    struct Presented: Sendable, CustomStringConvertible {
        var authorization: String?
        var xAPIKey: String?
        var apiKey: String?
        var repeated = false
        var inQuery = false
        var code: CallFailure.Code?
        var description: String {
            "\(authorization ?? "-") \(xAPIKey ?? "-") \(apiKey ?? "-") \(repeated) \(inQuery)"
        }
    }

    // KEY stands for a good key's text.
    @Test(arguments: [
        Presented(authorization: "Bearer KEY"), Presented(authorization: "bearer KEY"),
        Presented(authorization: "BEARER   KEY"), Presented(xAPIKey: "KEY"), Presented(apiKey: "KEY"),
        Presented(code: .missingKey),
        Presented(authorization: "Bearer KEY", xAPIKey: "KEY", code: .ambiguousKey),
        Presented(authorization: "Bearer KEY", apiKey: "KEY", code: .ambiguousKey),
        Presented(xAPIKey: "KEY", apiKey: "KEY", code: .ambiguousKey),
        Presented(authorization: "Bearer KEY", xAPIKey: "", code: .ambiguousKey),
        Presented(authorization: "Bearer KEY", repeated: true, code: .ambiguousKey),
        Presented(authorization: "Bearer KEY", inQuery: true, code: .ambiguousKey),
        Presented(inQuery: true, code: .ambiguousKey), Presented(authorization: "", code: .invalidKey),
        Presented(authorization: "KEY", code: .invalidKey),
        Presented(authorization: "Basic KEY", code: .invalidKey),
        Presented(authorization: "BearerKEY", code: .invalidKey),
        Presented(authorization: "Bearer ", code: .invalidKey),
        Presented(authorization: "Bearer\tKEY", code: .invalidKey),
        Presented(authorization: "Bearer KEY ", code: .invalidKey),
        Presented(xAPIKey: "KEY\r\n", code: .invalidKey),
        Presented(xAPIKey: "Bearer KEY", code: .invalidKey), Presented(xAPIKey: "", code: .invalidKey),
    ]) func `exactly one credential in its proper form is taken`(presented: Presented) throws {
        let key = String(decoding: fixture.text("good"), as: UTF8.self)
        func bytes(_ text: String?) -> [UInt8]? { text.map { Array($0.replacing("KEY", with: key).utf8) } }
        func lend(_ bytes: [UInt8]?, _ body: (UnsafeRawBufferPointer?) -> CallFailure?) -> CallFailure? {
            guard let bytes else { return body(nil) }
            return bytes.withUnsafeBytes { body($0) }
        }
        let failure = lend(bytes(presented.authorization)) { authorization in
            lend(bytes(presented.xAPIKey)) { xAPIKey in
                lend(bytes(presented.apiKey)) { apiKey in
                    let credential = PresentedCredential(
                        authorization: authorization, xAPIKey: xAPIKey, apiKey: apiKey,
                        repeated: presented.repeated, inQuery: presented.inQuery)
                    return refusal { () throws(CallFailure) in
                        try Authenticator.identify(
                            credential, directory: fixture.directory, pepper: fixture.pepper,
                            at: AccessFixture.now)
                    }
                }
            }
        }
        #expect(failure?.code == presented.code)
        #expect(failure == nil || failure?.status == 401)
        #expect(failure?.message.contains(key) != true)
    }

    @Test func `identifying is quick among ten thousand tenants`() throws {
        let fixture = try AccessFixture(extraTenants: 10_000)
        let text = fixture.text("good")
        let rounds = 20_000
        let clock = ContinuousClock()
        let took = try clock.measure {
            for _ in 0..<rounds {
                try text.withUnsafeBytes { bytes in
                    _ = try Authenticator.identify(
                        .init(xAPIKey: bytes), directory: fixture.directory, pepper: fixture.pepper,
                        at: AccessFixture.now)
                }
            }
        }
        // Generous, for debug builds on a busy machine; release takes 0.75 us.
        #expect(took / rounds < .microseconds(200))
    }
}
