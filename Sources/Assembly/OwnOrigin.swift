import Domain
import Glibc

extension OperatorOrigin {
    /// Where this process came from: the same for all it does.
    static let own = OperatorOrigin(
        session: hexadecimalText(of: (0..<4).map { _ in UInt8.random(in: .min ... .max) }),
        tty: terminal(), uid: "\(geteuid())", from: peer(of: Places.variable("SSH_CONNECTION")))

    /// `pts/4`, of the first standard descriptor that is a terminal.
    private static func terminal() -> String {
        for descriptor: Int32 in [0, 2, 1] {
            var name = [CChar](repeating: 0, count: 256)
            guard ttyname_r(descriptor, &name, name.count) == 0 else { continue }
            let path = String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            return path.hasPrefix("/dev/") ? String(path.dropFirst(5)) : path
        }
        return ""
    }

    /// The first word of `SSH_CONNECTION` (sshd(8)), when it is an address.
    static func peer(of connection: String?) -> String {
        let word = connection?.split(separator: " ").first.map(String.init) ?? ""
        let isAddress = word.utf8.allSatisfy {
            hexadecimalValue(of: $0) != nil || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":")
                || $0 == UInt8(ascii: "%")
        }
        return isAddress && word.utf8.count <= 64 ? word : ""
    }

    /// As a peer says it, but with the user id that the kernel vouches for, and nothing longer than such a thing is.
    func vouched(uid: UInt32) -> OperatorOrigin {
        func short(_ text: String) -> String { text.utf8.count <= 64 ? text : "" }
        return OperatorOrigin(session: short(session), tty: short(tty), uid: "\(uid)", from: short(from))
    }
}
