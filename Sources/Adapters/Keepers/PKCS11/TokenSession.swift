import CPKCS11
import Cipher
import Vault

/// A session at a token, logged in, with the one key that keeps slot keys.
///
/// CKM_AES_GCM (PKCS #11 2.40 Current Mechanisms, section 2.12.3) with a nonce of 12 bytes and a tag of 16.
struct TokenSession {
    private let module: CryptokiModule
    private let token: CryptokiToken
    private let handle: ck_session_handle_t
    private let key: ck_object_handle_t
    /// How a key is named wherever it has to be: a PKCS #11 URI (RFC 7512).
    let uri: String

    static let nonceByteCount = 12
    static let tagByteCount = 16

    /// Opens a session, uses it, and logs out; whatever happens, nothing stays open.
    static func with<Output: ~Copyable>(
        _ place: TokenPlace, pin: KeeperPIN, isUnattended: Bool,
        _ body: (TokenSession) throws(KeeperFailure) -> Output
    ) throws(KeeperFailure) -> Output {
        let module = try CryptokiModule(place.module)
        defer { module.stop() }
        let token = try module.token(labelled: place.token)
        try refuseMechanism(token, in: module)
        var handle: ck_session_handle_t = 0
        try module.call("no session at the token") {
            $0.C_OpenSession?(token.slot, CKF_SERIAL_SESSION, nil, nil, &handle)
        }
        defer { _ = module.functions.pointee.C_CloseSession?(handle) }
        try logIn(to: token, in: module, handle, pin, isUnattended: isUnattended)
        defer { _ = module.functions.pointee.C_Logout?(handle) }
        let key = try find(place.key, in: module, handle)
        return try body(
            TokenSession(module: module, token: token, handle: handle, key: key, label: place.key))
    }

    private init(
        module: CryptokiModule, token: CryptokiToken, handle: ck_session_handle_t, key: ck_object_handle_t,
        label: String
    ) {
        self.module = module
        self.token = token
        self.handle = handle
        self.key = key
        uri =
            "pkcs11:token=\(Self.escaped(token.label));serial=\(Self.escaped(token.serial));"
            + "object=\(Self.escaped(label));type=secret-key"
    }

    private static func refuseMechanism(
        _ token: CryptokiToken, in module: CryptokiModule
    ) throws(KeeperFailure) {
        var info = ck_mechanism_info()
        let code = module.functions.pointee.C_GetMechanismInfo?(token.slot, CKM_AES_GCM, &info)
        let both = CKF_ENCRYPT | CKF_DECRYPT
        guard code == CKR_OK, info.flags & both == both else {
            throw .refused("the token \"\(token.label)\" does not do AES-GCM, so it cannot keep slot keys")
        }
    }

    // MARK: PIN

    private static func logIn(
        to token: CryptokiToken, in module: CryptokiModule, _ handle: ck_session_handle_t, _ pin: KeeperPIN,
        isUnattended: Bool
    ) throws(KeeperFailure) {
        if let why = token.pin.refusal(isUnattended: isUnattended) {
            throw .refused("token \"\(token.label)\": \(why)")
        }
        let code = pin.bytes.withBytes { bytes in
            let start = UnsafeMutablePointer(mutating: bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
            return module.functions.pointee.C_Login?(handle, CKU_USER, start, UInt(bytes.count))
        }
        switch code {
        case CKR_OK, CKR_USER_ALREADY_LOGGED_IN: return
        case CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE:
            let now = (try? CryptokiToken(slot: token.slot, in: module)) ?? token
            throw .refused("token \"\(token.label)\": the PIN is wrong; \(now.pin.left)")
        default: throw .refused("token \"\(token.label)\": \(CryptokiCode.words(code))")
        }
    }

    // MARK: Key

    private static func find(
        _ label: String, in module: CryptokiModule, _ handle: ck_session_handle_t
    ) throws(KeeperFailure) -> ck_object_handle_t {
        var kind = CKO_SECRET_KEY
        var type = CKK_AES
        var text = Array(label.utf8)
        var found = [ck_object_handle_t](repeating: 0, count: 2)
        var count: UInt = 0
        let code = withUnsafeMutableBytes(of: &kind) { kind in
            withUnsafeMutableBytes(of: &type) { type in
                text.withUnsafeMutableBytes { text in
                    var wanted = [
                        ck_attribute(CKA_CLASS, kind), ck_attribute(CKA_KEY_TYPE, type),
                        ck_attribute(CKA_LABEL, text),
                    ]
                    return module.functions.pointee.C_FindObjectsInit?(handle, &wanted, UInt(wanted.count))
                }
            }
        }
        guard code == CKR_OK else { throw .refused("the token's keys: \(CryptokiCode.words(code))") }
        defer { _ = module.functions.pointee.C_FindObjectsFinal?(handle) }
        try module.call("the token's keys") { $0.C_FindObjects?(handle, &found, 2, &count) }
        guard count > 0 else { throw .refused("there is no AES key \"\(label)\" on the token") }
        guard count == 1 else { throw .refused("there are two AES keys \"\(label)\" on the token") }
        return found[0]
    }

    /// What is asked of a key before a slot is made with it: 256 bits that nobody can read out.
    func checkForNewSlot() throws(KeeperFailure) {
        var length: UInt = 0
        let known = withUnsafeMutableBytes(of: &length) { read(CKA_VALUE_LEN, into: $0) }
        guard known, length == 32 else { throw .refused("the token's key is not an AES key of 256 bits") }
        guard flag(CKA_SENSITIVE) == true, flag(CKA_EXTRACTABLE) == false else {
            throw .refused(
                "the token's key can be read out of it; make one that is sensitive and not extractable")
        }
    }

    private func flag(_ type: ck_attribute_type_t) -> Bool? {
        var value: UInt8 = 0
        return withUnsafeMutableBytes(of: &value) { read(type, into: $0) } ? value != 0 : nil
    }

    private func read(_ type: ck_attribute_type_t, into bytes: UnsafeMutableRawBufferPointer) -> Bool {
        var wanted = ck_attribute(type, bytes)
        return module.functions.pointee.C_GetAttributeValue?(handle, key, &wanted, 1) == CKR_OK
    }

    // MARK: Sealing

    /// Ciphertext and tag.
    func seal(
        _ plaintext: borrowing SecretBytes, nonce: [UInt8], aad: [UInt8]
    ) throws(KeeperFailure) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: plaintext.count + Self.tagByteCount)
        var count = UInt(out.count)
        let code = withGCM(nonce, aad) { mechanism in
            let started = module.functions.pointee.C_EncryptInit?(handle, &mechanism, key)
            guard started == CKR_OK else { return started }
            return plaintext.withBytes { bytes in
                let start = UnsafeMutablePointer(
                    mutating: bytes.assumingMemoryBound(to: UInt8.self).baseAddress)
                return module.functions.pointee.C_Encrypt?(handle, start, UInt(bytes.count), &out, &count)
            }
        }
        guard code == CKR_OK else {
            throw .refused("the token does not seal: \(CryptokiCode.words(code))")
        }
        guard count == out.count else {
            throw .refused("the token sealed to another length than AES-GCM has")
        }
        return out
    }

    /// What was sealed, if it was this key, with this nonce and these facts.
    func open(_ sealed: [UInt8], nonce: [UInt8], aad: [UInt8]) throws(KeeperFailure) -> SecretBytes {
        var code: ck_rv_t?
        var sealed = sealed
        let room = sealed.count
        do throws(CipherFailure) {
            return try SecretBytes(atMost: room) { (out) throws(CipherFailure) in
                var count = UInt(room)
                let start = out.assumingMemoryBound(to: UInt8.self).baseAddress
                code = withGCM(nonce, aad) { mechanism in
                    let started = module.functions.pointee.C_DecryptInit?(handle, &mechanism, key)
                    guard started == CKR_OK else { return started }
                    return module.functions.pointee.C_Decrypt?(handle, &sealed, UInt(room), start, &count)
                }
                guard code == CKR_OK, count <= room else { throw .notAuthentic }
                return Int(count)
            }
        } catch {
            guard error == .notAuthentic else { throw .refused(error.description) }
            switch code {
            // The token is logged in and has the key: what it cannot open then is not its own, whatever modules call it.
            case CKR_ENCRYPTED_DATA_INVALID, CKR_ENCRYPTED_DATA_LEN_RANGE, CKR_GENERAL_ERROR,
                CKR_FUNCTION_FAILED, Self.aeadDecryptFailed:
                throw .otherKey
            default: throw .refused("the token does not open: \(CryptokiCode.words(code))")
            }
        }
    }

    /// CKR_AEAD_DECRYPT_FAILED of PKCS #11 3.0, which the header of 2.40 does not have.
    private static let aeadDecryptFailed: ck_rv_t = 0x42

    private func withGCM(
        _ nonce: [UInt8], _ aad: [UInt8], _ body: (inout ck_mechanism) -> ck_rv_t?
    ) -> ck_rv_t? {
        var nonce = nonce
        var aad = aad
        return nonce.withUnsafeMutableBufferPointer { nonce in
            aad.withUnsafeMutableBufferPointer { aad in
                var parameters = ck_gcm_params(
                    iv_ptr: nonce.baseAddress, iv_len: UInt(nonce.count), iv_bits: UInt(nonce.count * 8),
                    aad_ptr: aad.baseAddress, aad_len: UInt(aad.count),
                    tag_bits: UInt(Self.tagByteCount * 8))
                return withUnsafeMutableBytes(of: &parameters) { parameters in
                    var mechanism = ck_mechanism(
                        mechanism: CKM_AES_GCM, parameter: parameters.baseAddress,
                        parameter_len: UInt(parameters.count))
                    return body(&mechanism)
                }
            }
        }
    }

    /// RFC 7512 section 2.3: what is not unreserved is percent-encoded.
    private static func escaped(_ text: String) -> String {
        text.utf8.reduce(into: "") { out, byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default: out += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
    }
}

extension ck_attribute {
    fileprivate init(_ type: ck_attribute_type_t, _ bytes: UnsafeMutableRawBufferPointer) {
        self.init(type: type, value: bytes.baseAddress, value_len: UInt(bytes.count))
    }
}
