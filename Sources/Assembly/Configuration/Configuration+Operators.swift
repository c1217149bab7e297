import Glibc
import Operations

// [[operator]]: who may do what.
extension Configuration {
    /// More people than look after one gateway; an audit record each when all change at once.
    private static let operatorsMost = 256

    static func roster(_ sections: [ConfigurationReader]) throws(ConfigurationProblem) -> OperatorRoster {
        var roles: [String: OperatorRole] = [:]
        for section in sections {
            try section.allow(["user", "role"])
            guard let user = try section.string("user") else {
                throw section.problem(
                    "user", "an [[operator]] needs a user: the name of an account of this machine")
            }
            guard isAccount(user) else {
                throw section.problem(
                    "user", "user \"\(user)\" is no name of an account: letters, digits, . _ - @, at most 64")
            }
            // user_namespaces(7): an account that the kernel cannot name here has this one's id.
            guard !user.utf8.elementsEqual("nobody".utf8) else {
                throw section.problem(
                    "user", "user nobody stands for any account that is not known here; name another")
            }
            guard roles[user] == nil else {
                throw section.problem("user", "there is an entry for operator \(user) already")
            }
            let known = OperatorRole.allCases.map(\.rawValue).joined(separator: ", ")
            guard let word = try section.string("role") else {
                throw section.problem("role", "operator \(user) needs a role, one of \(known)")
            }
            guard let role = OperatorRole(rawValue: word) else {
                throw section.problem("role", "role \"\(word)\" is not one of \(known)")
            }
            guard roles.count < operatorsMost else {
                throw section.problem("user", "at most \(operatorsMost) operators have an entry")
            }
            roles[user] = role
        }
        guard let last = sections.last, !roles.values.contains(.admin) else { return OperatorRoster(roles) }
        throw last.problem(
            "role", "no [[operator]] has the role admin: nobody could change anything; name one")
    }

    mutating func readSocket(_ section: ConfigurationReader) throws(ConfigurationProblem) {
        try section.allow(["path", "group"])
        let (path, group) = (try section.string("path"), try section.string("group"))
        guard path != nil || group != nil else { return }
        guard let path, let group else {
            throw section.problem(
                path == nil ? "group" : "path", "[socket] needs path and group: they go together")
        }
        guard path.hasPrefix("/"), !path.hasSuffix("/"), path.utf8.count <= SocketLimits.pathBytes else {
            throw section.problem(
                "path",
                "path is an absolute path of at most \(SocketLimits.pathBytes) bytes, such as /run/gatehouse/engine.sock"
            )
        }
        guard Self.isAccount(group) else {
            throw section.problem("group", "group \"\(group)\" is no name of a group of this machine")
        }
        guard !roster.isEmpty else {
            throw section.problem(
                "path",
                "[socket] lets other accounts in, which needs [[operator]] entries that say what they may do")
        }
        sharedSocket = SharedSocket(path: path, group: group)
    }

    /// As `useradd` and directory services make them (useradd(8), sssd.conf(5)): ASCII, without a `-` in front.
    private static func isAccount(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count), name.utf8.first != UInt8(ascii: "-") else { return false }
        return name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"), UInt8(ascii: "@"):
                true
            default: false
            }
        }
    }

    /// A file that gives roles can be written by nobody else, or roles would be anybody's to take.
    func checkOwner(of path: String) throws(ConfigurationProblem) {
        guard !roster.isEmpty else { return }
        var facts = stat()
        guard stat(path, &facts) == 0, facts.st_uid == 0 || facts.st_uid == geteuid(),
            facts.st_mode & 0o022 == 0
        else {
            throw ConfigurationProblem(
                file: path, line: 0,
                "gives roles ([[operator]]), so it has to be this account's or root's, and written by nobody else: chmod go-w"
            )
        }
    }

    /// Why the roles leave nobody who can change anything on this machine; nil when they do not.
    var missingAdmin: String? {
        guard !roster.isEmpty, !roster.admins.contains(where: Account.exists) else { return nil }
        return
            "no account of this machine is an admin: [[operator]] names \(roster.admins.joined(separator: ", "))"
    }
}

/// Accounts of this machine.
enum Account {
    /// The name of a user id; `uid 1000` where there is no account of it.
    static func name(of uid: UInt32) -> String {
        entry { getpwuid_r(uid, $0, $1, $2, $3) } ?? "uid \(uid)"
    }

    static func exists(_ name: String) -> Bool { entry { getpwnam_r(name, $0, $1, $2, $3) } != nil }

    private typealias Found = UnsafeMutablePointer<passwd>?

    /// - Parameter look: one of the reentrant look-ups, which take a place for the entry and one for its texts.
    private static func entry(
        _ look: (UnsafeMutablePointer<passwd>, UnsafeMutablePointer<CChar>, Int, UnsafeMutablePointer<Found>)
            ->
            Int32
    ) -> String? {
        var entry = passwd()
        var found: Found = nil
        // Entries of directory services are longer than the 1,024 bytes that glibc suggests.
        var texts = [CChar](repeating: 0, count: 16 << 10)
        let status = texts.withUnsafeMutableBufferPointer { buffer in
            buffer.baseAddress.map { look(&entry, $0, buffer.count, &found) } ?? EINVAL
        }
        guard status == 0, found != nil, let name = entry.pw_name else { return nil }
        return withExtendedLifetime(texts) { String(cString: name) }
    }
}
