public import Cipher
import Dialects
public import Domain
import NIOCore
import NIOPosix
public import Providers
public import Vault

/// Where a key service and its key are.
public struct KeyServicePlace: Sendable, Hashable {
    public let base: BaseURL
    public let region: String
    /// Id, ARN or alias of a symmetric key.
    public let key: String

    public init(base: BaseURL, region: String, key: String) {
        self.base = base
        self.region = region
        self.key = key
    }
}

/// Slot keys kept by a key of AWS KMS, or of a service that speaks as it does.
///
/// `GenerateDataKey` makes a slot key and seals it, `Decrypt` opens it, both with the encryption context
/// `{vault, slot}`, which the service authenticates and its own log shows.
public struct KeyServiceKeeper: KeyKeeper {
    public let kind = SlotKind.keyService
    private let place: KeyServicePlace
    private let trust: UpstreamTLS.TrustRoots
    private let options: UpstreamOptions
    private let credential: @Sendable () throws(KeeperFailure) -> SecretBytes
    private let now: @Sendable () -> WallTime

    /// One try may take 10 s; three with their pauses 32 at most.
    private static let timeouts = UpstreamTimeouts(
        connect: .seconds(5), firstByte: .seconds(8), idle: .seconds(5), total: .seconds(10))
    private static let pauses: [Duration] = [.milliseconds(300), .seconds(1)]

    /// - Parameters:
    ///   - rule: which addresses the service's host may lead to.
    ///   - credential: `ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]`, read anew for each use.
    public init(
        _ place: KeyServicePlace, trust: UpstreamTLS.TrustRoots, rule: AddressRule,
        credential: @escaping @Sendable () throws(KeeperFailure) -> SecretBytes,
        now: @escaping @Sendable () -> WallTime
    ) {
        self.place = place
        self.trust = trust
        var options = UpstreamOptions()
        options.addressRule = rule
        options.timeouts = Self.timeouts
        self.options = options
        self.credential = credential
        self.now = now
    }

    public func make(
        for slot: SlotPlace, pin: KeeperPIN?
    ) async throws(KeeperFailure) -> HeldSlotKey {
        var body = JSONWriter()
        body.raw(#"{"KeyId":"#)
        body.text(place.key)
        body.raw(#","NumberOfBytes":32,"EncryptionContext":"#)
        body.context(slot)
        body.raw("}")
        let answer = try await ask("GenerateDataKey", body.bytes)
        guard let name = answer.keyID, !name.isEmpty, let sealed = answer.ciphertext, !sealed.isEmpty else {
            throw .refused("the key service made no data key")
        }
        guard let key = answer.takePlaintext(), key.count == HeldSlotKey.byteCount else {
            throw .refused("the key service made no data key of \(HeldSlotKey.byteCount) bytes")
        }
        let outside = OutsideKey(name: name, sealed: sealed)
        let again = try await decrypt(outside, for: slot)
        let isSame = key.withBytes { left in again.withBytes { ConstantTime.equal(left, $0) } }
        guard isSame else { throw .refused("the key service does not open what it sealed") }
        return HeldSlotKey(key, of: slot.slot, kind: .keyService, outside: outside)
    }

    public func open(
        _ outside: OutsideKey, for slot: SlotPlace, pin: KeeperPIN?
    ) async throws(KeeperFailure) -> HeldSlotKey {
        HeldSlotKey(
            try await decrypt(outside, for: slot), of: slot.slot, kind: .keyService, outside: outside)
    }

    /// The key is named although the ciphertext names it too: the service then uses no other (API reference of
    /// `Decrypt`, "KeyId").
    private func decrypt(
        _ outside: OutsideKey, for slot: SlotPlace
    ) async throws(KeeperFailure) -> SecretBytes {
        var body = JSONWriter()
        body.raw(#"{"KeyId":"#)
        body.text(outside.name)
        body.raw(#","CiphertextBlob":"#)
        body.text(Base64.text(of: outside.sealed))
        body.raw(#","EncryptionContext":"#)
        body.context(slot)
        body.raw("}")
        guard let key = try await ask("Decrypt", body.bytes).takePlaintext(),
            key.count == HeldSlotKey.byteCount
        else { throw .otherKey }
        return key
    }

    // MARK: Asking

    private func ask(_ what: String, _ body: [UInt8]) async throws(KeeperFailure) -> KeyServiceAnswer {
        let endpoint: UpstreamEndpoint
        let tls: UpstreamTLS
        do throws(ProviderRefusal) {
            endpoint = try UpstreamEndpoint(
                aws: "kms", operation: "TrentService.\(what)", region: place.region, at: place.base)
            tls = try UpstreamTLS(trust: trust)
        } catch {
            throw .refused("\(error)")
        }
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let call = AWSCall(on: loop, options: options, tls: tls)
        var pauses = Self.pauses[...]
        while true {
            let answer = await call.send(body, to: endpoint, credential: try credential(), at: now())
            do throws(KeyServiceTrouble) {
                return try read(answer)
            } catch {
                guard error.mayPass, let pause = pauses.popFirst() else { throw error.failure }
                try? await Task.sleep(for: pause)
            }
        }
    }

    private func read(_ answer: AWSCall.Answer) throws(KeyServiceTrouble) -> KeyServiceAnswer {
        switch answer {
        case .unsent(let why): throw KeyServiceTrouble(.refused("the key service was not asked: \(why)"))
        case .failure(let failure):
            throw KeyServiceTrouble(
                .refused("the key service at \(place.base.origin) did not answer: \(failure)"), mayPass: true)
        case .response(let status, var body):
            let answer: KeyServiceAnswer
            do throws(KeeperFailure) { answer = try KeyServiceAnswer(&body) } catch {
                // Some services refuse credentials before they know that JSON is spoken.
                guard status == 200 else {
                    throw KeyServiceTrouble(status: status, name: "", key: place.key)
                }
                throw KeyServiceTrouble(error)
            }
            guard status != 200 else { return answer }
            throw KeyServiceTrouble(status: status, name: answer.errorName ?? "", key: place.key)
        }
    }
}

/// An error of a key service, and whether another try may help.
struct KeyServiceTrouble: Error {
    let failure: KeeperFailure
    let mayPass: Bool

    init(_ failure: KeeperFailure, mayPass: Bool = false) {
        self.failure = failure
        self.mayPass = mayPass
    }

    /// Names of the errors of `Decrypt` and `GenerateDataKey` and those common to all calls (AWS KMS API reference).
    init(status: Int, name: String, key: String) {
        switch name {
        case "InvalidCiphertextException", "IncorrectKeyException": self.init(.otherKey)
        case "DisabledException": self.init(.unusable("the key \(key) is disabled at the key service"))
        case "KMSInvalidStateException":
            self.init(
                .unusable("the key \(key) is not in use at the key service: pending deletion or import"))
        case "NotFoundException": self.init(.unusable("the key service has no key \(key)"))
        case "AccessDeniedException", "NotAuthorizedException":
            self.init(.unusable("the key service does not let these credentials use the key \(key)"))
        case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidSignatureException",
            "ExpiredTokenException", "IncompleteSignature", "MissingAuthenticationToken":
            self.init(.refused("the key service does not accept these credentials (\(name))"))
        case "" where status == 401 || status == 403:
            self.init(.refused("the key service does not accept these credentials (\(status))"))
        default:
            // What a stranger calls an error is shown only if it is a word.
            let isWord = (1...64).contains(name.utf8.count) && name.utf8.allSatisfy { $0 > 0x40 && $0 < 0x7b }
            let passes = status >= 500 || ["ThrottlingException", "LimitExceededException"].contains(name)
            self.init(
                .refused("the key service answered with \(status)\(isWord ? " \(name)" : "")"),
                mayPass: passes)
        }
    }
}

extension JSONWriter {
    fileprivate mutating func context(_ slot: SlotPlace) {
        raw(#"{"slot":"#)
        text(slot.slot.text)
        raw(#","vault":"#)
        text(slot.vault.text)
        raw("}")
    }
}
