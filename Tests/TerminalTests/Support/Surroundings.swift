import Glibc
import Testing

/// The environment and the terminal descriptions that a test's own process gets.
enum Surroundings {
    /// Sets what the console looks at, and takes away what the test run was started with.
    static func set(
        term: String, colorterm: String? = nil, noColor: String? = nil, locale: String = "C.UTF-8"
    ) {
        let values = [
            "TERM": term, "COLORTERM": colorterm, "NO_COLOR": noColor, "LC_ALL": locale, "LINES": nil,
            "COLUMNS": nil,
        ]
        for (name, value) in values {
            if let value { setenv(name, value, 1) } else { unsetenv(name) }
        }
        // Whatever hangs is ended by the kernel.
        alarm(60)
    }

    /// Descriptions that a small system lacks: direct colours and sixteen, made from xterm-256color's.
    static let source = #"""
        xterm-direct|direct colours,
            RGB, ccc@, initc@, colors#0x1000000, pairs#0x10000,
            setab=\E[%?%p1%{8}%<%t4%p1%d%e48\:2\:\:%p1%{65536}%/%d\:%p1%{256}%/%{255}%&%d\:%p1%{255}%&%d%;m,
            setaf=\E[%?%p1%{8}%<%t3%p1%d%e38\:2\:\:%p1%{65536}%/%d\:%p1%{256}%/%{255}%&%d\:%p1%{255}%&%d%;m,
            use=xterm-256color,
        xterm-16color|sixteen colours,
            ccc@, initc@, colors#16, pairs#0x100,
            setab=\E[%?%p1%{8}%<%t4%p1%d%e10%p1%{8}%-%d%;m,
            setaf=\E[%?%p1%{8}%<%t3%p1%d%e9%p1%{8}%-%d%;m,
            use=xterm-256color,

        """#

    /// Compiles the descriptions into a folder and makes ncurses look there first; returns the folder.
    static func addDescriptions() throws -> String {
        var name = Array("/tmp/terminal-tests-XXXXXX".utf8CString)
        try #require(mkdtemp(&name) != nil)
        let folder = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let file = try #require(fopen(folder + "/source", "w"))
        fputs(source, file)
        fclose(file)
        #expect(try run("/usr/bin/tic", "-x", "-o", folder, folder + "/source") == 0)
        setenv("TERMINFO_DIRS", folder + ":", 1)
        return folder
    }

    static func remove(_ folder: String) throws { #expect(try run("/bin/rm", "-r", folder) == 0) }

    private static func run(_ words: String...) throws -> Int32 {
        var process: pid_t = 0
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for argument in arguments { free(argument) } }
        try #require(posix_spawn(&process, words[0], nil, nil, &arguments, environ) == 0)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR { continue }
        return status
    }
}
