import Cipher
public import Domain
public import Vault

/// Where a token's key is found.
public struct TokenPlace: Sendable, Hashable {
    /// The PKCS #11 module, an absolute path. From the configuration alone: it is code that runs here.
    public let module: String
    /// The token's label.
    public let token: String
    /// The label of an AES key on it.
    public let key: String

    public init(module: String, token: String, key: String) {
        self.module = module
        self.token = token
        self.key = key
    }
}

/// Slot keys kept by an AES key that never leaves a token.
///
/// What a slot keeps is a format byte, the nonce, and the slot key under AES-256-GCM with the vault and the slot as
/// facts that are authenticated with it. GCM does not commit to its key; the record GWE1 under the slot key does.
public struct TokenKeeper: KeyKeeper {
    public let kind = SlotKind.token
    private let place: TokenPlace
    private let storedPIN: (@Sendable () throws(KeeperFailure) -> KeeperPIN)?
    private let work: BoundedWork

    /// A token that asks for a touch takes seconds; one that takes longer than this hangs.
    private static let bound = Duration.seconds(30)
    private static let format: UInt8 = 1

    /// - Parameter storedPIN: reads the PIN from where the configuration says; nil where a person types it.
    public init(_ place: TokenPlace, storedPIN: (@Sendable () throws(KeeperFailure) -> KeeperPIN)? = nil) {
        self.place = place
        self.storedPIN = storedPIN
        work = BoundedWork(of: "the PKCS#11 module")
    }

    public func make(
        for slot: SlotPlace, pin: KeeperPIN?
    ) async throws(KeeperFailure) -> HeldSlotKey {
        try await atToken(pin) { (session) throws(KeeperFailure) in
            try session.checkForNewSlot()
            let key = try Self.drawn { () throws(CipherFailure) in
                try RandomBytes.secret(count: HeldSlotKey.byteCount)
            }
            let nonce = try Self.drawn { () throws(CipherFailure) in
                try RandomBytes.salt(count: TokenSession.nonceByteCount)
            }
            let sealed = try session.seal(key, nonce: nonce, aad: slot.facts)
            let opened = try session.open(sealed, nonce: nonce, aad: slot.facts)
            let isSame = key.withBytes { left in opened.withBytes { ConstantTime.equal(left, $0) } }
            guard isSame else { throw .refused("the token does not open what it sealed") }
            return HeldSlotKey(
                key, of: slot.slot, kind: .token,
                outside: OutsideKey(name: session.uri, sealed: [Self.format] + nonce + sealed))
        }
    }

    public func open(
        _ outside: OutsideKey, for slot: SlotPlace, pin: KeeperPIN?
    ) async throws(KeeperFailure) -> HeldSlotKey {
        let nonceEnd = 1 + TokenSession.nonceByteCount
        let sealed = outside.sealed
        guard sealed.count == nonceEnd + HeldSlotKey.byteCount + TokenSession.tagByteCount,
            sealed[0] == Self.format
        else { throw .otherKey }
        return try await atToken(pin) { (session) throws(KeeperFailure) in
            let key = try session.open(
                Array(sealed[nonceEnd...]), nonce: Array(sealed[1..<nonceEnd]), aad: slot.facts)
            guard key.count == HeldSlotKey.byteCount else { throw .otherKey }
            return HeldSlotKey(key, of: slot.slot, kind: .token, outside: outside)
        }
    }

    private func atToken(
        _ pin: KeeperPIN?, _ body: @escaping @Sendable (TokenSession) throws(KeeperFailure) -> HeldSlotKey
    ) async throws(KeeperFailure) -> HeldSlotKey {
        let used = try usedPIN(pin)
        return try await work.run(within: Self.bound) { [place] () throws(KeeperFailure) in
            try TokenSession.with(place, pin: used, isUnattended: pin == nil, body)
        }
    }

    private func usedPIN(_ typed: KeeperPIN?) throws(KeeperFailure) -> KeeperPIN {
        if let typed { return typed }
        guard let storedPIN else { throw .pinNeeded }
        return try storedPIN()
    }

    private static func drawn<Output: ~Copyable>(
        _ body: () throws(CipherFailure) -> Output
    ) throws(KeeperFailure) -> Output {
        do throws(CipherFailure) { return try body() } catch { throw .refused(error.description) }
    }
}

extension SlotPlace {
    /// The one place that a sealed slot key is for.
    var facts: [UInt8] { Array("gatehouse slot key\0".utf8) + vault.bytes + slot.bytes }
}
