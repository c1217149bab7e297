import Glibc

/// Where a gateway lives: its data folder and its configuration file.
package struct Places: Sendable, Hashable {
    package let data: String
    package let config: String

    /// The data folder is the option, else `$GATEHOUSE_HOME`, else `$XDG_DATA_HOME/gatehouse`, else
    /// `~/.local/share/gatehouse` (XDG Base Directory Specification 0.8).
    package init(data: String?, config: String?) throws {
        let folder: String
        if let chosen = data ?? Self.variable("GATEHOUSE_HOME") {
            folder = chosen
        } else if let base = Self.variable("XDG_DATA_HOME"), base.hasPrefix("/") {
            folder = base + "/gatehouse"
        } else if let home = Self.variable("HOME"), home.hasPrefix("/") {
            folder = home + "/.local/share/gatehouse"
        } else {
            throw CommandFailure("no data folder: give --data DIR or set GATEHOUSE_HOME")
        }
        self.data = try Self.absolute(folder)
        self.config = try Self.absolute(config ?? folder + "/gatehouse.toml")
    }

    package var socket: String { data + "/engine.sock" }
    package var log: String { data + "/gatehouse.log" }
    package var journal: String { data + "/usage.journal" }

    package static func variable(_ name: String) -> String? {
        guard let value = getenv(name), value.pointee != 0 else { return nil }
        return String(cString: value)
    }

    private static func absolute(_ path: String) throws -> String {
        if path.hasPrefix("/") { return path }
        guard let here = getcwd(nil, 0) else { throw CommandFailure("the working directory is gone") }
        defer { free(here) }
        return String(cString: here) + "/" + path
    }
}

/// Why a command ends without having done its work, and with which exit code.
package struct CommandFailure: Error, CustomStringConvertible {
    package let message: String
    package let code: Int32

    package init(_ message: String, code: Int32 = 1) {
        self.message = message
        self.code = code
    }

    /// Wraps whatever was thrown; its description says what, where and what to do.
    package init(_ error: any Error) {
        if let failure = error as? CommandFailure {
            self = failure
        } else {
            self.init("\(error)")
        }
    }

    package var description: String { message }
}
