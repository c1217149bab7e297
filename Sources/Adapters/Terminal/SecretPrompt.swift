import Glibc
public import Operations

/// Asks for a secret on the terminal, without echo.
public enum SecretPrompt {
    /// Why nothing could be asked.
    public struct Refusal: Error, CustomStringConvertible {
        public let description: String
    }

    /// Shows the prompt on `/dev/tty`, reads one line. `^C` and end of file give a refusal.
    public static func ask(_ prompt: String) throws(Refusal) -> SecretDraft {
        let terminal = open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard terminal >= 0 else { throw Refusal(description: "there is no terminal to ask on") }
        defer { close(terminal) }
        var before = termios()
        guard tcgetattr(terminal, &before) == 0 else {
            throw Refusal(description: "the terminal cannot be asked")
        }
        var quiet = before
        quiet.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        quiet.c_iflag &= ~tcflag_t(ICRNL)
        // Killed while it asks, the terminal gets its echo back all the same.
        CrashRestore.arm(terminal, before, bytes: [], alsoEnding: [SIGTERM, SIGHUP])
        tcsetattr(terminal, TCSAFLUSH, &quiet)
        defer {
            tcsetattr(terminal, TCSAFLUSH, &before)
            CrashRestore.disarm()
        }
        _ = write(terminal, prompt, prompt.utf8.count)
        let draft = SecretDraft()
        var byte: UInt8 = 0
        defer {
            byte = 0
            _ = write(terminal, "\r\n", 2)
        }
        while read(terminal, &byte, 1) == 1 {
            switch byte {
            case 0x0a, 0x0d:
                guard !draft.isEmpty else { throw Refusal(description: "nothing was entered") }
                return draft
            case 0x03, 0x04: throw Refusal(description: "cancelled; nothing was changed")
            case 0x08, 0x7f: removeCharacter(of: draft)
            case 0x15: draft.wipe()
            case 0x20...0x7e, 0x80...:
                guard draft.append(byte) else {
                    throw Refusal(
                        description:
                            "more than \(SecretDraft.longest) bytes were entered; nothing was changed")
                }
            default: throw Refusal(description: "a control character was entered; nothing was changed")
            }
        }
        throw Refusal(description: "the terminal closed")
    }

    /// A character is one byte, or a first byte of UTF-8 with its continuations: none of them may stay behind.
    private static func removeCharacter(of draft: SecretDraft) {
        while let last = draft.withBytes({ $0.last }) {
            draft.removeLast()
            if last & 0xc0 != 0x80 { return }
        }
    }
}
