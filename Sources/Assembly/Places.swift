import Glibc

/// Where a gateway lives: its data folder and its configuration file.
public struct Places: Sendable, Hashable {
    public let data: String
    public let config: String
    /// The socket of an engine that another account runs: commands go there and nowhere else. nil = the data folder's.
    public let door: String?

    /// The data folder is the option, else `$GATEHOUSE_HOME`, else `$XDG_DATA_HOME/gatehouse`, else
    /// `~/.local/share/gatehouse` (XDG Base Directory Specification 0.8).
    ///
    /// - Parameter socket: the door; without one it is `$GATEHOUSE_SOCKET`, else, for an account that has no data folder and
    ///   names none, the usual place.
    public init(data: String?, config: String?, socket: String? = nil) throws {
        try self.init(data: data, config: config, socket: socket, environment: Self.variable)
    }

    init(
        data: String?, config: String?, socket: String? = nil, usual: String = SharedSocket.usualPath,
        environment: (String) -> String?
    ) throws {
        var door = socket ?? environment("GATEHOUSE_SOCKET")
        let folder: String
        if let chosen = data ?? environment("GATEHOUSE_HOME") {
            folder = chosen
        } else if let base = environment("XDG_DATA_HOME"), base.hasPrefix("/") {
            folder = base + "/gatehouse"
        } else if let home = environment("HOME"), home.hasPrefix("/") {
            folder = home + "/.local/share/gatehouse"
        } else {
            throw CommandFailure("no data folder: give --data DIR or set GATEHOUSE_HOME")
        }
        let home = try Self.absolute(folder, "the data folder")
        self.data = home
        if door == nil, data == nil, environment("GATEHOUSE_HOME") == nil, access(home, F_OK) != 0,
            access(usual, F_OK) == 0
        {
            door = usual
        }
        self.door = try door.map { try Self.absolute($0, "the socket") }
        self.config =
            try config.map { try Self.absolute($0, "the configuration file") } ?? home + "/gatehouse.toml"
    }

    /// The same folder, and its own socket as the door.
    var home: Places { Places(home: self) }

    private init(home places: Places) {
        data = places.data
        config = places.config
        door = nil
    }

    public var socket: String { data + "/engine.sock" }
    public var log: String { data + "/gatehouse.log" }
    public var journal: String { data + "/usage.journal" }

    public static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    /// A path as somebody gave it, from the root.
    public static func absolutePath(_ given: String) throws -> String { try absolute(given, "the folder") }

    /// From the root, without slashes at the end: other paths are compared with it.
    private static func absolute(_ given: String, _ what: String) throws -> String {
        guard !given.isEmpty else {
            throw CommandFailure("the path of \(what) is empty; name it or leave it out")
        }
        var path = given[...]
        while path.utf8.count > 1, path.utf8.last == UInt8(ascii: "/") { path.removeLast() }
        if path.utf8.first == UInt8(ascii: "/") { return String(path) }
        guard let here = getcwd(nil, 0) else { throw CommandFailure("the working directory is gone") }
        defer { free(here) }
        return String(cString: here) + "/" + path
    }
}

/// Why a command ends without having done its work, and with which exit code.
public struct CommandFailure: Error, CustomStringConvertible {
    public let message: String
    public let code: Int32

    public init(_ message: String, code: Int32 = 1) {
        self.message = message
        self.code = code
    }

    /// Wraps whatever was thrown; its description says what, where and what to do.
    public init(_ error: any Error) {
        if let failure = error as? CommandFailure {
            self = failure
        } else {
            self.init("\(error)")
        }
    }

    public var description: String { message }
}
