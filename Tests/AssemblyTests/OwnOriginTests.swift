import Domain
import Testing

@testable import Assembly

@Suite struct OwnOriginTests {
    @Test func `the peer of an SSH connection is its first word, when that is an address`() {
        #expect(OperatorOrigin.peer(of: "10.2.0.9 51234 10.2.0.1 22") == "10.2.0.9")
        #expect(OperatorOrigin.peer(of: "fe80::1%eth0 51234 fe80::2 22") == "")
        #expect(OperatorOrigin.peer(of: "2001:db8::7 51234 2001:db8::1 22") == "2001:db8::7")
        for odd in [nil, "", "evil\u{1b}[31m 1 2 3", String(repeating: "1", count: 65)] {
            #expect(OperatorOrigin.peer(of: odd) == "")
        }
    }

    @Test func `of what a peer says only the user id is the kernel's, and nothing is longer than it can be`()
    {
        let said = OperatorOrigin(
            session: String(repeating: "x", count: 65), tty: "pts/4", uid: "0", from: "10.2.0.9")
        let vouched = said.vouched(uid: 1_000)
        #expect(vouched == OperatorOrigin(session: "", tty: "pts/4", uid: "1000", from: "10.2.0.9"))
    }

    @Test func `this process has one session`() {
        #expect(OperatorOrigin.own.session.utf8.count == 8)
        #expect(OperatorOrigin.own == .own)
    }
}
