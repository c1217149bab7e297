import Domain
import Routing
import Testing

@Suite struct MemoryBreakerBoardTests {
    @Test func `it does what a breaker board must do`() throws {
        try checkBreakerBoard { MemoryBreakerBoard() }
    }

    @Test func `past its capacity the longest idle closed breakers go, open and held ones stay`() {
        let board = MemoryBreakerBoard(capacity: 64)
        _ = board.hold(
            hold(.closed, from: 0, to: 900), on: target("held/model"), at: .seconds(0), wall: .seconds(0))
        for _ in 1...5 {
            guard case .pass(let ticket) = board.permit(target("open/model"), at: .seconds(0)).permit else {
                continue
            }
            _ = board.report(
                .failed(.transport, retryAfter: .seconds(900)), of: ticket, for: target("open/model"),
                at: .seconds(0))
        }
        for number in 0..<1_000 {
            let name = target("p/m\(number)")
            guard case .pass(let ticket) = board.permit(name, at: .seconds(1)).permit else { continue }
            _ = board.report(.answered, of: ticket, for: name, at: .seconds(1 + Double(number) / 100))
        }
        let states = board.states(at: .seconds(20))
        #expect(states.count <= 64)
        #expect(states.contains { $0.target == target("held/model") && $0.hold != nil })
        #expect(states.contains { $0.target == target("open/model") && $0.position == .open })
        #expect(states.contains { $0.target == target("p/m999") })
        #expect(!states.contains { $0.target == target("p/m0") })
    }

    @Test func `concurrent calls get one probe among them`() async {
        let board = MemoryBreakerBoard()
        let name = target("p/m")
        for _ in 1...5 {
            guard case .pass(let ticket) = board.permit(name, at: .seconds(0)).permit else { continue }
            _ = board.report(.failed(.transport, retryAfter: nil), of: ticket, for: name, at: .seconds(0))
        }
        let probes = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    (0..<1_000).count { _ in
                        if case .probe = board.permit(name, at: .seconds(11)).permit { true } else { false }
                    }
                }
            }
            return await group.reduce(0, +)
        }
        #expect(probes == 1)
    }
}
