import CPKCS11
import Glibc
import Vault

/// A PKCS #11 module (OASIS PKCS #11 Base Specification 2.40): a library that speaks for tokens, loaded into this
/// process. Debian 12 has no OpenSSL provider for them, so it is called directly.
struct CryptokiModule {
    let functions: UnsafeMutablePointer<ck_function_list>
    private let isOurs: Bool

    /// Loads and starts a module. It is stopped after use, and never unloaded: modules have threads and exit handlers
    /// of their own, which would then point nowhere.
    init(_ path: String) throws(KeeperFailure) {
        try Self.check(path)
        guard let library = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            throw .refused("the PKCS#11 module \(path) cannot be loaded")
        }
        guard let functions = gh_pkcs11_functions(library) else {
            throw .refused("\(path) is no PKCS#11 module")
        }
        self.functions = functions
        var arguments = ck_c_initialize_args()
        arguments.flags = CKF_OS_LOCKING_OK
        let code = functions.pointee.C_Initialize?(&arguments)
        isOurs = code == CKR_OK
        guard isOurs || code == CKR_CRYPTOKI_ALREADY_INITIALIZED else {
            throw .refused("the PKCS#11 module \(path) does not start: \(CryptokiCode.words(code))")
        }
    }

    func stop() { if isOurs { _ = functions.pointee.C_Finalize?(nil) } }

    /// The library runs as this program does, so only root or this user may be able to change it.
    private static func check(_ path: String) throws(KeeperFailure) {
        guard path.hasPrefix("/") else { throw .refused("module must be an absolute path, not \(path)") }
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw .refused("there is no PKCS#11 module \(path)") }
        guard facts.st_mode & S_IFMT == S_IFREG, facts.st_uid == 0 || facts.st_uid == geteuid(),
            facts.st_mode & 0o022 == 0
        else {
            throw .refused(
                "the PKCS#11 module \(path) belongs to or can be written by others than root and you")
        }
    }

    /// Calls a function of the module; anything but success is refused in words.
    func call(
        _ what: String, _ body: (ck_function_list) -> ck_rv_t?
    ) throws(KeeperFailure) {
        let code = body(functions.pointee)
        guard code == CKR_OK else { throw .refused("\(what): \(CryptokiCode.words(code))") }
    }

    /// The one token with this label that is present.
    func token(labelled label: String) throws(KeeperFailure) -> CryptokiToken {
        var slots = [ck_slot_id_t](repeating: 0, count: Self.slotsMost)
        var count = UInt(slots.count)
        try call("the tokens cannot be listed") { $0.C_GetSlotList?(1, &slots, &count) }
        var tokens: [CryptokiToken] = []
        for slot in slots.prefix(Int(count)) {
            // A token that is pulled out meanwhile is as one that was not there.
            if let token = try? CryptokiToken(slot: slot, in: self) { tokens.append(token) }
        }
        let fitting = tokens.filter { $0.label.utf8.elementsEqual(label.utf8) }
        guard let token = fitting.first else {
            let found = tokens.map(\.label).filter { !$0.isEmpty }.joined(separator: ", ")
            throw .refused("there is no token \"\(label)\"; present: \(found.isEmpty ? "none" : found)")
        }
        guard fitting.count == 1 else {
            throw .refused("there are \(fitting.count) tokens \"\(label)\"; give one of them another label")
        }
        return token
    }

    private static let slotsMost = 64
}

/// A token, and what it says of itself.
struct CryptokiToken {
    let slot: ck_slot_id_t
    let label: String
    let serial: String
    let pin: PINState

    init(slot: ck_slot_id_t, in module: CryptokiModule) throws(KeeperFailure) {
        self.slot = slot
        var info = ck_token_info()
        try module.call("a token says nothing of itself") { $0.C_GetTokenInfo?(slot, &info) }
        pin = PINState(flags: info.flags)
        label = withUnsafeBytes(of: info.label) { Self.text($0) }
        serial = withUnsafeBytes(of: info.serial_number) { Self.text($0) }
    }

    /// Padded with blanks (section 3.1); what a screen could take for a command is left out.
    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        let end = bytes.lastIndex { $0 != 0x20 && $0 != 0 }.map { $0 + 1 } ?? 0
        return String(decoding: bytes[..<end], as: UTF8.self).filter { character in
            character.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7f...0x9f).contains($0.value) }
        }
    }
}

/// What a module's return code means to whoever has to do something about it.
enum CryptokiCode {
    static func words(_ code: ck_rv_t?) -> String {
        switch code {
        case nil: "the module does not have this function"
        case CKR_PIN_INCORRECT, CKR_PIN_INVALID, CKR_PIN_LEN_RANGE: "the PIN is wrong"
        case CKR_PIN_LOCKED: "the PIN is locked: the token's administrator has to set a new one"
        case CKR_PIN_EXPIRED: "the PIN has to be changed at the token first"
        case CKR_USER_PIN_NOT_INITIALIZED: "the token has no user PIN yet"
        case CKR_TOKEN_NOT_PRESENT, CKR_DEVICE_REMOVED: "the token is not there any more"
        case CKR_TOKEN_NOT_RECOGNIZED: "the token is of an unknown kind, or not initialised"
        case CKR_MECHANISM_INVALID, CKR_MECHANISM_PARAM_INVALID:
            "the token does not do AES-GCM as it is needed"
        case CKR_KEY_FUNCTION_NOT_PERMITTED: "the key may not be used for this"
        case CKR_KEY_TYPE_INCONSISTENT, CKR_KEY_SIZE_RANGE: "the key is not an AES key of 256 bits"
        case let code?: "error 0x\(String(code, radix: 16)) of the module"
        }
    }
}
