import Glibc
import Locking
import Operations
import TestTraits
import Testing

@testable import Terminal

/// A secret is asked for on the process's own terminal; each test has a process of its own with one.
@Suite(.serialized, .ownThread) struct SecretPromptTests {
    /// What an answer gave.
    enum Answer: Sendable, Equatable {
        case secret([UInt8])
        case refused(String)
    }

    /// Asks, types when the prompt is there, and gives the answer and all that the terminal showed.
    private static func ask(_ typed: String) throws -> (answer: Answer, shown: String, restored: Bool) {
        Surroundings.set(term: "xterm-256color")
        let terminal = try PseudoTerminal()
        try terminal.takeControl()
        terminal.makeUnusual()
        let before = terminal.modes
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        let done = ends[1]
        let answer = Locked<Answer?>(nil)
        PlainThread.start {
            let result: Answer
            do throws(SecretPrompt.Refusal) {
                let draft = try SecretPrompt.ask("passphrase: ")
                result = .secret(draft.withBytes { Array($0) })
            } catch {
                result = .refused(error.description)
            }
            answer.withLock { $0 = result }
            var byte: UInt8 = 1
            _ = write(done, &byte, 1)
        }
        try terminal.wait("the prompt") { $0.text.contains("passphrase:") }
        #expect(!terminal.echoes)
        terminal.type(typed)
        var source = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
        try #require(poll(&source, 1, 10_000) == 1, "the prompt never ends")
        try terminal.settle()
        let shown = String(decoding: terminal.bytes, as: UTF8.self).filter { !$0.isNewline }
        return (try #require(answer.withLock { $0 }), shown, terminal.modes == before)
    }

    @Test(arguments: [
        ("correct horse\r", "correct horse"), ("n\n", "n"), ("Zürich 漢\r", "Zürich 漢"),
        ("abx\u{7f}c\r", "abc"),
        ("ab\u{8}c\r", "ac"), ("wrong\u{15}right\r", "right"), ("aé漢\u{7f}\u{7f}b\r", "ab"),
        ("\u{7f}\u{7f}x\r", "x"),
    ]) func `what is typed is taken and not shown`(typed: String, secret: String) async {
        await #expect(processExitsWith: .success) { [typed = typed as String, secret = secret as String] in
            let (answer, shown, restored) = try Self.ask(typed)
            #expect(answer == .secret(Array(secret.utf8)))
            #expect(shown == "passphrase: ", "nothing but the prompt is on the screen")
            #expect(restored)
        }
    }

    @Test(arguments: [
        ("\r", "nothing was entered"), ("ab\u{3}", "cancelled; nothing was changed"),
        ("ab\u{4}", "cancelled; nothing was changed"),
        ("ab\u{1b}", "a control character was entered; nothing was changed"),
        ("ab\u{7f}\u{7f}\r", "nothing was entered"),
    ]) func `what is no secret is refused, and the terminal is as it was`(typed: String, why: String) async {
        await #expect(processExitsWith: .success) { [typed = typed as String, why = why as String] in
            let (answer, shown, restored) = try Self.ask(typed)
            #expect(answer == .refused(why))
            #expect(shown == "passphrase: " && restored)
        }
    }

    @Test func `a secret that is too long is refused, not cut`() async {
        await #expect(processExitsWith: .success) {
            let most = String(repeating: "x", count: SecretDraft.longest)
            let (whole, _, _) = try Self.ask(most + "\r")
            #expect(whole == .secret(Array(most.utf8)))
        }
        await #expect(processExitsWith: .success) {
            let (answer, shown, restored) = try Self.ask(
                String(repeating: "x", count: SecretDraft.longest + 1) + "\r")
            #expect(answer == .refused("more than 4096 bytes were entered; nothing was changed"))
            #expect(shown == "passphrase: " && restored)
        }
    }

    @Test func `without a terminal nothing can be asked`() async {
        await #expect(processExitsWith: .success) {
            setsid()
            #expect(throws: SecretPrompt.Refusal.self) { try SecretPrompt.ask("passphrase: ") }
        }
    }
}
