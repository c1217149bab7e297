import CPKCS11

/// What a token says of its user PIN: never how many tries are left, only that some are gone (CK_TOKEN_INFO flags of
/// PKCS #11 2.40, section 3.2).
struct PINState: Hashable, Sendable {
    let flags: UInt

    private var isLocked: Bool { flags & CKF_USER_PIN_LOCKED != 0 }
    private var isLastTry: Bool { flags & CKF_USER_PIN_FINAL_TRY != 0 }

    /// Why no PIN is tried now. One that lies in a file never gets the last try: a service that is started again and
    /// again would lock the token.
    func refusal(isUnattended: Bool) -> String? {
        if isLocked { return left }
        guard isLastTry, isUnattended else { return nil }
        return "one try is left, and the PIN that lies in a file does not get it; "
            + "type the PIN: gatehouse vault unlock --pkcs11 --ask-pin"
    }

    /// What is left after a wrong PIN.
    var left: String {
        if isLocked { return "the PIN is locked: the token's administrator has to set a new one" }
        if isLastTry { return "ONE try is left, then the token locks itself" }
        return flags & CKF_USER_PIN_COUNT_LOW != 0
            ? "some tries are used up" : "the token does not count tries"
    }
}
