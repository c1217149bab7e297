import Glibc

/// A socket outside of the data folder, for accounts other than the engine's: who connects is what the kernel says, and
/// what he may do is what the roles say. The mode only keeps strangers from knocking.
public struct SharedSocket: Sendable, Hashable {
    public let path: String
    public let group: String

    /// Where a command looks when nothing else is said and its own account has no data folder: what systemd's
    /// `RuntimeDirectory=gatehouse` makes (systemd.exec(5)).
    static let usualPath = "/run/gatehouse/engine.sock"

    /// Makes room for the socket: the folder must be one in which nobody else could put a socket of his own, and what a
    /// dead engine left there goes away.
    func prepare(outside data: String) throws {
        guard !path.utf8.starts(with: (data + "/").utf8) else {
            throw CommandFailure(
                "[socket] path has to lie outside the data folder \(data), which stays this account's alone")
        }
        try Self.checkFolder(of: path, owners: [0, geteuid()])
        var facts = stat()
        guard lstat(path, &facts) == 0 else { return }
        guard facts.st_mode & S_IFMT == S_IFSOCK else {
            throw CommandFailure("[socket] path \(path) is there and no socket; nothing was changed")
        }
        guard EngineClient(path: path, operatorName: "") == nil else {
            throw CommandFailure("another engine answers at [socket] path \(path)")
        }
    }

    /// Gives the socket to the group.
    func share() throws {
        guard let group = Self.group(named: group) else {
            throw CommandFailure("[socket] group: there is no group \(group) on this machine")
        }
        guard chown(path, uid_t.max, group) == 0, chmod(path, 0o660) == 0 else {
            throw CommandFailure(
                "cannot give the socket \(path) to the group \(self.group): the engine's account has to be a member of it"
            )
        }
    }

    /// Refuses a folder in which somebody else could replace the socket.
    static func checkFolder(of path: String, owners: Set<UInt32>) throws {
        let folder = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        var facts = stat()
        guard lstat(folder.isEmpty ? "/" : folder, &facts) == 0 else {
            throw CommandFailure(
                "the folder of the socket \(path) is not there: make it, owned by the engine's account")
        }
        guard facts.st_mode & S_IFMT == S_IFDIR, owners.contains(facts.st_uid), facts.st_mode & 0o022 == 0
        else {
            throw CommandFailure(
                "the folder of the socket \(path) has to be the engine's account's or root's, and written by nobody else"
            )
        }
    }

    private static func group(named name: String) -> gid_t? {
        var entry = Glibc.group()
        var found: UnsafeMutablePointer<Glibc.group>?
        // A group's entry lists its members.
        var texts = [CChar](repeating: 0, count: 64 << 10)
        guard getgrnam_r(name, &entry, &texts, texts.count, &found) == 0, found != nil else { return nil }
        return entry.gr_gid
    }
}
