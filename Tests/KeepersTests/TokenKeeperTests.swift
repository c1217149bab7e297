import CPKCS11
import Cipher
import Domain
import Foundation
import Glibc
import Locking
import TestKit
import TestTraits
import Testing

@testable import Keepers
@testable import Vault

/// A vault that opens with a key that never leaves a token: SoftHSM 2 as the real counterpart.
@Suite(.serialized, .ownThread) struct TokenKeeperTests {
    private static let now = WallTime(milliseconds: 1_800_000_000_000)
    private let token: SoftToken

    init() throws {
        try SecureHeap.start()
        token = try SoftToken()
        try token.makeKey()
    }

    /// A vault that a key file opens, and the token as well.
    private func vault(_ keeper: any KeyKeeper) async throws -> (vault: KeyVault, record: VaultRecord) {
        let file = UnlockSource.keyFile(try secret("0123456789abcdef0123456789abcdef"))
        let (vault, first) = try KeyVault.create(with: file, at: Self.now)
        let held = try await KeyVault.newSlotKey(for: first, from: keeper, pin: SoftToken.typed())
        let added = try vault.addSlot(for: SlotSecret(held), to: first, at: Self.now)
        return (vault, try vault.sealRing(added, keys: []))
    }

    private func refusal(
        _ record: VaultRecord, _ keeper: any KeyKeeper, _ pin: KeeperPIN?
    ) async throws -> SealFailure? {
        let vault = KeyVault()
        do {
            try await vault.unlock(record, keys: [], with: keeper, pin: pin)
            #expect(vault.isUnlocked)
            return nil
        } catch {
            #expect(!vault.isUnlocked)
            return error
        }
    }

    private func sentence(
        _ keeper: TokenKeeper, _ pin: KeeperPIN?
    ) async -> String {
        let place = SlotPlace(vault: .random(), slot: .random())
        do throws(KeeperFailure) {
            _ = try await keeper.make(for: place, pin: pin)
            return ""
        } catch {
            return error.description
        }
    }

    @Test func `a slot that a token's key keeps opens the vault, again and again, beside the others`()
        async throws
    {
        let (_, record) = try await vault(token.keeper())
        #expect(record.slots.map(\.kind) == [.keyFile, .token])
        for _ in 0..<3 {
            #expect(try await refusal(record, token.keeper(), SoftToken.typed()) == nil)
        }
        let again = KeyVault()
        try again.unlock(record, with: .keyFile(secret("0123456789abcdef0123456789abcdef")))
        try again.verify(record, keys: [])
        let outside = try #require(record.slots[1].outside)
        #expect(outside.name.hasPrefix("pkcs11:token=gatehouse;serial="))
        #expect(outside.name.hasSuffix(";object=vault;type=secret-key") && outside.sealed.count == 61)
        // What is typed at a vault with a token's slot is never taken for a PIN.
        let typed = try secret(SoftToken.pin)
        #expect(throws: SealFailure.wrongUnlock(.keyFile, tried: 1)) {
            try again.unlock(record, keys: [], withAny: typed)
        }
    }

    @Test func `a wrong PIN is refused with what is left, and is tried once however many slots there are`()
        async throws
    {
        var (vault, record) = try await vault(token.keeper())
        let more = try await KeyVault.newSlotKey(
            for: record, from: token.keeper(), pin: SoftToken.typed())
        record = try vault.sealRing(
            vault.addSlot(for: SlotSecret(more), to: record, at: Self.now), keys: [])
        let counting = CountingKeeper(token.keeper())
        let wrong = try await refusal(record, counting, SoftToken.typed("not-the-pin"))
        #expect(counting.opens.withLock { $0 } == 1)
        #expect(
            wrong?.description
                == "token \"gatehouse\": the PIN is wrong; some tries are used up")
        #expect(try await refusal(record, token.keeper(), nil) == .keeper(.pinNeeded))
        #expect(try await refusal(record, token.keeper(), SoftToken.typed()) == nil)
    }

    @Test func `the second of two slots opens where the first one's key is gone`() async throws {
        var (vault, record) = try await vault(token.keeper())
        try token.makeKey("second")
        let more = try await KeyVault.newSlotKey(
            for: record, from: token.keeper(key: "second"), pin: SoftToken.typed())
        record = try vault.sealRing(
            vault.addSlot(for: SlotSecret(more), to: record, at: Self.now), keys: [])
        #expect(try await refusal(record, token.keeper(key: "second"), SoftToken.typed()) == nil)
    }

    @Test func `the key of another token with the same names does not open it`() async throws {
        let (_, record) = try await vault(token.keeper())
        let other = try SoftToken()
        try other.makeKey()
        #expect(
            try await refusal(record, other.keeper(), SoftToken.typed()) == .wrongUnlock(.token, tried: 1))
    }

    @Test func `every edited byte and every moved field of a slot is refused`() async throws {
        let (_, record) = try await vault(token.keeper())
        let slot = record.slots[1]
        let outside = try #require(slot.outside)
        func edited(_ outside: OutsideKey?, id: SlotID? = nil, salt: [UInt8]? = nil) -> VaultRecord {
            var edited = record
            edited.slots[1] = VaultSlot(
                id: id ?? slot.id, kind: slot.kind, scryptN: slot.scryptN, salt: salt ?? slot.salt,
                rootVersion: slot.rootVersion, sealedRoot: slot.sealedRoot, created: slot.created,
                outside: outside)
            return edited
        }
        let wrong = SealFailure.wrongUnlock(.token, tried: 1)
        for place in stride(from: 0, to: outside.sealed.count, by: 6) {
            var sealed = outside.sealed
            sealed[place] ^= 0x10
            let record = edited(OutsideKey(name: outside.name, sealed: sealed))
            #expect(try await refusal(record, token.keeper(), SoftToken.typed()) == wrong, "byte \(place)")
        }
        let cut = OutsideKey(name: outside.name, sealed: Array(outside.sealed.dropLast()))
        let renamed = OutsideKey(name: outside.name + "x", sealed: outside.sealed)
        for record in [
            edited(cut), edited(renamed), edited(outside, id: .random()),
            edited(outside, salt: [UInt8](repeating: 1, count: 32)),
        ] {
            #expect(try await refusal(record, token.keeper(), SoftToken.typed()) == wrong)
        }
        let long = OutsideKey(name: outside.name, sealed: [UInt8](repeating: 1, count: 70_000))
        for record in [edited(nil), edited(long), edited(OutsideKey(name: "", sealed: [1]))] {
            #expect(
                try await refusal(record, token.keeper(), SoftToken.typed()) == .slotParameters(.token))
        }
        #expect(try await refusal(edited(outside), token.keeper(), SoftToken.typed()) == nil)
    }

    @Test func `a slot key sealed for one slot or vault opens no other`() async throws {
        let (_, record) = try await vault(token.keeper())
        let outside = try #require(record.slots[1].outside)
        for place in [
            SlotPlace(vault: record.id, slot: .random()),
            SlotPlace(vault: .random(), slot: record.slots[1].id),
        ] {
            await #expect(throws: KeeperFailure.otherKey) {
                _ = try await token.keeper().open(outside, for: place, pin: SoftToken.typed())
            }
        }
    }

    @Test func `a slot that was removed and is put back does not open the vault`() async throws {
        let (vault, record) = try await vault(token.keeper())
        var less = record
        less.slots.removeLast()
        less = try vault.sealRing(less, keys: [])
        less.slots = record.slots
        let refused = try await refusal(less, token.keeper(), SoftToken.typed())
        #expect(refused == .keyRing("the vault's slots do not fit the key ring"))
    }

    @Test func `the root is rotated with a token's slot, and the old slot opens it no more`() async throws {
        let (vault, record) = try await vault(token.keeper())
        let held = try await KeyVault.newSlotKey(for: record, from: token.keeper(), pin: SoftToken.typed())
        let new = try vault.newRoot(for: record, keys: [], slots: [SlotSecret(held)], at: Self.now)
        #expect(new.record.slots.map(\.kind) == [.token] && new.record.rootVersion == 2)
        #expect(try await refusal(new.record, token.keeper(), SoftToken.typed()) == nil)
    }

    @Test func `what is not there is named`() async throws {
        let pin = try SoftToken.typed()
        let absent = TokenPlace(module: SoftToken.module, token: "other", key: "vault")
        #expect(
            await sentence(TokenKeeper(absent), pin) == "there is no token \"other\"; present: gatehouse")
        #expect(
            await sentence(token.keeper(key: "none"), pin) == "there is no AES key \"none\" on the token")
        try token.makeKey()
        #expect(await sentence(token.keeper(), pin) == "there are two AES keys \"vault\" on the token")
        _ = try SoftToken(in: token.folder)
        #expect(
            await sentence(token.keeper(), pin)
                == "there are 2 tokens \"gatehouse\"; give one of them another label")
    }

    @Test func `a key that can leave the token, or that is too short, keeps no slot`() async throws {
        try token.makeKey("loose", canLeave: true)
        #expect(
            await sentence(token.keeper(key: "loose"), try SoftToken.typed()).contains("can be read out"))
        try token.makeKey("short", bytes: 16)
        #expect(await sentence(token.keeper(key: "short"), try SoftToken.typed()).contains("256 bits"))
    }

    @Test func `a module that is none, or that others can write, is not loaded`() async throws {
        let pin = try SoftToken.typed()
        func refused(_ module: String) async -> String {
            await sentence(TokenKeeper(token.place(module: module)), pin)
        }
        #expect(await refused("libsofthsm2.so").contains("absolute path"))
        #expect(await refused("/usr/lib/none.so") == "there is no PKCS#11 module /usr/lib/none.so")
        #expect(await refused("/etc/passwd").contains("cannot be loaded"))
        #expect(await refused("/usr/lib/x86_64-linux-gnu/libc.so.6").contains("is no PKCS#11 module"))
        let copy = token.folder.path + "/module.so"
        try FileManager.default.copyItem(atPath: SoftToken.module, toPath: copy)
        #expect(chmod(copy, 0o775) == 0)
        #expect(await refused(copy).contains("others than root and you"))
        #expect(chmod(copy, 0o700) == 0)
        #expect(await refused(copy) == "")
    }

    @Test func `a stored PIN is used where none is typed`() async throws {
        let (_, record) = try await vault(token.keeper())
        func stored(_ text: String) -> TokenKeeper {
            TokenKeeper(token.place()) { () throws(KeeperFailure) in
                do { return try SoftToken.typed(text) } catch { throw .refused("\(error)") }
            }
        }
        #expect(try await refusal(record, stored(SoftToken.pin), nil) == nil)
        #expect(try await refusal(record, stored("other"), SoftToken.typed()) == nil)
        #expect(
            try await refusal(record, stored("other"), nil)?.description.contains("the PIN is wrong") == true)
    }

    @Test func `a PIN from a file never gets a token's last try, and a locked token gets none`() {
        // SoftHSM never locks a token, so these states are not its own.
        let (locked, last) = (PINState(flags: CKF_USER_PIN_LOCKED), PINState(flags: CKF_USER_PIN_FINAL_TRY))
        #expect(locked.refusal(isUnattended: false)?.contains("administrator") == true)
        #expect(locked.refusal(isUnattended: true) == locked.refusal(isUnattended: false))
        #expect(last.refusal(isUnattended: true)?.contains("--ask-pin") == true)
        #expect(last.refusal(isUnattended: false) == nil && last.left.contains("ONE try"))
        let low = PINState(flags: CKF_USER_PIN_COUNT_LOW)
        #expect(low.refusal(isUnattended: true) == nil && low.left.contains("used up"))
    }

    @Test func `a module that does not come back is given up, and left alone until it has`() async throws {
        let work = BoundedWork(of: "the module")
        var ends: [Int32] = [0, 0]
        try #require(pipe(&ends) == 0)
        let (reader, writer) = (ends[0], ends[1])
        await #expect(throws: KeeperFailure.refused("the module did not answer within 1 s")) {
            try await work.run(within: .seconds(1)) {
                var byte: UInt8 = 0
                _ = read(reader, &byte, 1)
            }
        }
        await #expect(
            throws: KeeperFailure.refused("the module has not come back from the call before; try again")
        ) {
            try await work.run(within: .seconds(1)) {}
        }
        close(writer)
        var isBack = false
        for _ in 0..<3_000 where !isBack {
            isBack = (try? await work.run(within: .seconds(30)) {}) != nil
            if !isBack { try await Task.sleep(for: .milliseconds(10)) }
        }
        #expect(isBack)
        close(reader)
    }
}

/// Counts how often a keeper is asked for a key.
private struct CountingKeeper: KeyKeeper {
    let inner: TokenKeeper
    let opens = Locked(0)
    var kind: SlotKind { inner.kind }

    init(_ inner: TokenKeeper) { self.inner = inner }

    func make(for place: SlotPlace, pin: KeeperPIN?) async throws(KeeperFailure) -> HeldSlotKey {
        try await inner.make(for: place, pin: pin)
    }

    func open(
        _ outside: OutsideKey, for place: SlotPlace, pin: KeeperPIN?
    ) async throws(KeeperFailure) -> HeldSlotKey {
        opens.withLock { $0 += 1 }
        return try await inner.open(outside, for: place, pin: pin)
    }
}
