import Cipher
import Domain
import Testing

@testable import Vault

/// Files of backups, piece by piece.
@Suite struct BackupCipherTests {
    private let fixture: VaultFixture

    init() throws { fixture = try VaultFixture() }

    private let salt = [UInt8](repeating: 9, count: BackupCipher.saltByteCount)

    private func cipher(_ name: String = "control", salt: [UInt8]? = nil) throws -> BackupCipher {
        try fixture.vault.backupCipher(salt: salt ?? self.salt, name: name)
    }

    private func seal(_ text: String, _ number: UInt64, _ isLast: Bool) throws -> [UInt8] {
        let cipher = try cipher()
        return try Array(text.utf8).span.bytes.withUnsafeBytes { (piece) throws(SealFailure) in
            try cipher.seal(piece, number: number, isLast: isLast)
        }
    }

    private func open(
        _ sealed: [UInt8], _ number: UInt64, _ isLast: Bool, with cipher: BackupCipher? = nil
    ) throws -> [UInt8] {
        let cipher = try cipher ?? self.cipher()
        return try sealed.span.bytes.withUnsafeBytes { (sealed) throws(SealFailure) in
            try cipher.open(sealed, number: number, isLast: isLast).copied()
        }
    }

    @Test func `a piece opens in its place, in its file, in its vault, and nowhere else`() throws {
        let sealed = try seal("some rows", 3, false)
        #expect(try open(sealed, 3, false) == Array("some rows".utf8))
        for (number, isLast) in [(2, false), (4, false), (3, true)] as [(UInt64, Bool)] {
            #expect(throws: SealFailure.self) { try open(sealed, number, isLast) }
        }
        #expect(throws: SealFailure.self) { try open(sealed, 3, false, with: cipher("other")) }
        let otherSalt = try cipher(salt: [UInt8](repeating: 8, count: 32))
        #expect(throws: SealFailure.self) { try open(sealed, 3, false, with: otherSalt) }
        let stranger = try VaultFixture().vault.backupCipher(salt: salt, name: "control")
        #expect(throws: SealFailure.self) { try open(sealed, 3, false, with: stranger) }
        for bit in 0..<(sealed.count * 8) {
            var changed = sealed
            changed[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: SealFailure.self) { try open(changed, 3, false) }
        }
        for count in 0..<sealed.count {
            #expect(throws: SealFailure.self) { try open(Array(sealed[..<count]), 3, false) }
        }
    }

    @Test func `an empty file is one last piece, and a locked vault seals nothing`() throws {
        let sealed = try seal("", 0, true)
        #expect(sealed.count == AESGCM.tagByteCount)
        #expect(try open(sealed, 0, true).isEmpty)
        fixture.vault.lock()
        #expect(throws: SealFailure.locked) { try cipher() }
        #expect(throws: SealFailure.locked) { try fixture.vault.backupCode(of: [1]) }
        #expect(throws: SealFailure.locked) { try fixture.vault.rowCode(of: [1]) }
        #expect(fixture.vault.tokens == nil)
    }

    @Test func `pepper, row codes and backups' keys stay the same when the root changes`() throws {
        let vault = fixture.vault
        let message = Array("gth_token".utf8)
        func facts() throws -> [[UInt8]] {
            let pepper = try #require(vault.tokens)
            return [
                pepper.code(of: message).bytes, try vault.rowCode(of: message).bytes,
                try vault.backupCode(of: message).bytes,
            ]
        }
        let before = try facts()
        #expect(Set(before).count == 3)
        let new = try vault.newRoot(
            for: fixture.record, keys: [],
            slots: [SlotSecret(.keyFile, try secret(VaultFixture.keyFile))], at: VaultFixture.now)
        try vault.adopt(new)
        #expect(try facts() == before)
        // And in a vault opened anew from what is stored.
        let again = try KeyVault.open(new.record, with: .keyFile(try secret(VaultFixture.keyFile)))
        #expect(try again.rowCode(of: message).bytes == before[1])
    }

    @Test func `nobody takes the codes of rows away from a vault that has them`() throws {
        var record = fixture.record
        record.rowsCoded = false
        let source = UnlockSource.keyFile(try secret(VaultFixture.keyFile))
        do throws(SealFailure) {
            _ = try KeyVault.open(record, with: source)
            Issue.record("it opened")
        } catch {
            guard case .keyRing = error else {
                Issue.record("\(error)")
                return
            }
        }
    }
}
