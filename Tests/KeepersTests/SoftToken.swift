import CPKCS11
import Cipher
import Domain
import Foundation
import Glibc
import TestKit
import Testing
import Vault

@testable import Keepers

/// Tokens of SoftHSM 2 in a folder of their own.
///
/// SoftHSM reads `SOFTHSM2_CONF` at each start of the module, and the keeper starts and stops it for each use: so one
/// process has one folder at a time, and the tests of tokens run one after the other.
final class SoftToken {
    static let pin = "4711-pin"
    static let module = "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"
    let folder: TemporaryFolder
    let label: String

    init(_ label: String = "gatehouse", in folder: TemporaryFolder? = nil) throws {
        self.label = label
        self.folder = try folder ?? TemporaryFolder()
        let tokens = self.folder.path + "/tokens"
        try FileManager.default.createDirectory(atPath: tokens, withIntermediateDirectories: true)
        let configuration = self.folder.path + "/softhsm2.conf"
        try "directories.tokendir = \(tokens)\nobjectstore.backend = file\nlog.level = ERROR\n".write(
            toFile: configuration, atomically: true, encoding: .utf8)
        setenv("SOFTHSM2_CONF", configuration, 1)
        try Tool.run(
            "/usr/bin/softhsm2-util",
            ["--init-token", "--free", "--label", label, "--so-pin", "so-pin-1", "--pin", Self.pin])
    }

    /// Makes an AES key in the token, as its administrator would with a tool of the token's maker.
    func makeKey(_ name: String = "vault", bytes: UInt = 32, canLeave: Bool = false) throws {
        let module = try CryptokiModule(Self.module)
        defer { module.stop() }
        let token = try module.token(labelled: label)
        var session: ck_session_handle_t = 0
        try module.call("open") {
            $0.C_OpenSession?(token.slot, CKF_SERIAL_SESSION | CKF_RW_SESSION, nil, nil, &session)
        }
        var pin = Array(Self.pin.utf8)
        try module.call("login") { $0.C_Login?(session, CKU_USER, &pin, UInt(pin.count)) }
        var yes: UInt8 = 1
        var sensitive: UInt8 = canLeave ? 0 : 1
        var extractable: UInt8 = canLeave ? 1 : 0
        var length = bytes
        var text = Array(name.utf8)
        var key: ck_object_handle_t = 0
        try withUnsafeMutablePointer(to: &yes) { yes in
            try withUnsafeMutablePointer(to: &sensitive) { sensitive in
                try withUnsafeMutablePointer(to: &extractable) { extractable in
                    try withUnsafeMutablePointer(to: &length) { length in
                        try text.withUnsafeMutableBytes { text in
                            var facts = [
                                ck_attribute(type: CKA_TOKEN, value: yes, value_len: 1),
                                ck_attribute(type: CKA_ENCRYPT, value: yes, value_len: 1),
                                ck_attribute(type: CKA_DECRYPT, value: yes, value_len: 1),
                                ck_attribute(type: CKA_SENSITIVE, value: sensitive, value_len: 1),
                                ck_attribute(type: CKA_EXTRACTABLE, value: extractable, value_len: 1),
                                ck_attribute(type: CKA_VALUE_LEN, value: length, value_len: 8),
                                ck_attribute(
                                    type: CKA_LABEL, value: text.baseAddress, value_len: UInt(text.count)),
                            ]
                            var mechanism = ck_mechanism(
                                mechanism: CKM_AES_KEY_GEN, parameter: nil, parameter_len: 0)
                            try module.call("key") {
                                $0.C_GenerateKey?(session, &mechanism, &facts, UInt(facts.count), &key)
                            }
                        }
                    }
                }
            }
        }
    }

    func place(key: String = "vault", module: String = SoftToken.module) -> TokenPlace {
        TokenPlace(module: module, token: label, key: key)
    }

    func keeper(key: String = "vault") -> TokenKeeper { TokenKeeper(place(key: key)) }

    static func typed(_ text: String = pin) throws -> KeeperPIN { KeeperPIN(try secret(text)) }
}

func secret(_ text: String) throws -> SecretBytes {
    try SecureHeap.start()
    return try Array(text.utf8).span.bytes.withUnsafeBytes { (bytes) throws(CipherFailure) in
        try SecretBytes(copying: bytes)
    }
}
