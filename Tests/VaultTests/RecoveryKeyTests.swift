import Cipher
import Domain
import Testing

@testable import Vault

@Suite struct RecoveryKeyTests {
    private func text(_ key: [UInt8]) throws -> String {
        String(decoding: try RecoveryKey.text(of: try secret(key)).copied(), as: UTF8.self)
    }

    private func fault(_ text: String) throws -> RecoveryKey.Fault? {
        do {
            _ = try RecoveryKey.parse(try secret(text))
            return nil
        } catch let fault as RecoveryKey.Fault {
            return fault
        }
    }

    @Test func `a key is four groups of fourteen, and read back however it is spelt`() throws {
        let key = (0..<32).map { UInt8($0 * 7 + 3) }
        let written = try text(key)
        #expect(written.split(separator: " ").map(\.utf8.count) == [14, 14, 14, 14])
        let dashed = written.split(separator: " ").joined(separator: "-")
        for spelt in [written, written.lowercased(), dashed, " \(written)\n", dashed.filter { $0 != "-" }] {
            #expect(try RecoveryKey.parse(try secret(spelt)).copied() == key)
        }
        let zeros = try text([UInt8](repeating: 0, count: 32))
        let swapped = String(zeros.map { $0 == "0" ? "o" : $0 == "1" ? "l" : $0 })
        #expect(try RecoveryKey.parse(try secret(swapped)).copied() == [UInt8](repeating: 0, count: 32))
    }

    @Test func `a known key has a known text`() throws {
        // Made with another implementation of the definition.
        let known = "000G40R40M30E0 104GM2RC1M70ZN 208H44RM2MB1F1 30CHM6RW3MF1YW"
        #expect(try text((0..<32).map { UInt8($0) }) == known)
    }

    @Test func `each wrong character is found and its group named`() throws {
        var generator = SplitMix(seed: 11)
        let key = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
        let written = Array(try text(key).utf8)
        for place in written.indices where written[place] != 0x20 {
            for other in "0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8 where other != written[place] {
                var wrong = written
                wrong[place] = other
                #expect(try fault(String(decoding: wrong, as: UTF8.self)) == .group(place / 15 + 1))
            }
        }
        let groups = String(decoding: written, as: UTF8.self).split(separator: " ")
        #expect(try fault([groups[1], groups[0], groups[2], groups[3]].joined()) == .group(1))
        #expect(try fault(groups[0...2].joined()) == .length(42))
        #expect(try fault("U" + groups.joined().dropFirst()) == .character)
    }

    @Test func `a recovery slot opens with its key alone, among slots of other kinds`() throws {
        let fixture = try VaultFixture()
        let key = (1...32).map { UInt8($0) }
        let written = try text(key)
        let recovery = try SlotSecret(.recovery, try secret(written))
        let added = try fixture.vault.addSlot(for: recovery, to: fixture.record, at: VaultFixture.now)
        let record = try fixture.vault.sealRing(added, keys: [fixture.tenantKey])
        #expect(try fixture.vault.slot(of: record, openedBy: recovery).kind == .recovery)
        let vault = KeyVault()
        #expect(try vault.unlock(record, keys: [fixture.tenantKey], withAny: secret(written)).isEmpty)
        #expect(vault.isUnlocked)
        let file = KeyVault()
        try file.unlock(record, keys: [fixture.tenantKey], withAny: secret(VaultFixture.keyFile))
        #expect(file.isUnlocked)
        let other = try text((2...33).map { UInt8($0) })
        #expect(
            refusal { () throws(SealFailure) in
                try KeyVault().unlock(
                    record, keys: [fixture.tenantKey],
                    withAny: mapped { () throws(CipherFailure) in
                        try other.utf8.span.bytes.withUnsafeBytes { (bytes) throws(CipherFailure) in
                            try SecretBytes(copying: bytes)
                        }
                    })
            } == .wrongUnlock(.keyFile, tried: 1))
    }
}
