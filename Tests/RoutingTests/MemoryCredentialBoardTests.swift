import Domain
import Routing
import Testing

/// What every credential board must do, whatever keeps its state.
func checkCredentialBoard(_ make: () -> any CredentialBoard) {
    scopes(make())
    probes(make())
    clearing(make())
}

private let small = model("small")
private let large = model("large")

private func key(_ number: UInt64) -> ProviderKeyID { ProviderKeyID(high: 1, low: number) }

private func look(_ board: any CredentialBoard, _ second: Double) -> [[CredentialAvailability]] {
    board.availabilities(
        of: [
            Candidate(target: target("p/small"), keys: [key(1), key(2)]),
            Candidate(target: target("p/large"), keys: [key(1)]),
        ], at: .seconds(second))
}

private func note(
    _ mark: CredentialMark, on board: any CredentialBoard, for model: ModelName = small, at second: Double,
    retryAfter: Duration? = nil
) -> CredentialMark? {
    board.note(
        mark, on: key(1), for: model, began: .seconds(second), at: .seconds(second), retryAfter: retryAfter)
}

private func scopes(_ board: any CredentialBoard) {
    #expect(look(board, 0) == [[.usable, .usable], [.usable]])
    #expect(note(.cooling, on: board, at: 0, retryAfter: .seconds(30)) == .cooling)
    #expect(note(.cooling, on: board, at: 1, retryAfter: .seconds(3)) == nil)
    let cooling = CredentialAvailability.refused(.cooling, until: .seconds(30))
    #expect(look(board, 2) == [[cooling, .usable], [.usable]])
    #expect(look(board, 30) == [[.usable, .usable], [.usable]])
    #expect(note(.deniedForModel, on: board, for: large, at: 40) == .deniedForModel)
    let denied = CredentialAvailability.refused(.deniedForModel, until: .seconds(640))
    #expect(look(board, 41) == [[.usable, .usable], [denied]])
    #expect(note(.rejected, on: board, at: 50) == .rejected)
    let rejected = CredentialAvailability.refused(.rejected, until: .seconds(650))
    #expect(look(board, 51) == [[rejected, .usable], [rejected]])
    #expect(board.states(at: .seconds(51)).map(\.mark) == [.rejected, .deniedForModel])
}

private func probes(_ board: any CredentialBoard) {
    #expect(note(.exhausted, on: board, at: 0) == .exhausted)
    #expect(board.take(key(1), for: small, at: .seconds(299)) == .refused(.exhausted, until: .seconds(300)))
    for _ in 1...3 { #expect(look(board, 300)[0][0] == .probe) }
    #expect(board.take(key(1), for: small, at: .seconds(300)) == .probe)
    #expect(board.take(key(1), for: large, at: .seconds(300)) == .refused(.exhausted, until: .seconds(360)))
    #expect(note(.ok, on: board, at: 301) == .ok)
    #expect(note(.ok, on: board, at: 302) == nil)
    #expect(look(board, 303) == [[.usable, .usable], [.usable]])
    #expect(board.states(at: .seconds(303)).isEmpty)
}

private func clearing(_ board: any CredentialBoard) {
    #expect(board.clear(key(1)) == nil)
    _ = note(.rejected, on: board, at: 0)
    _ = note(.deniedForModel, on: board, for: large, at: 0)
    #expect(board.clear(key(1)) == .ok)
    #expect(look(board, 1) == [[.usable, .usable], [.usable]])
}

@Suite struct MemoryCredentialBoardTests {
    @Test func `it does what a credential board must do`() {
        checkCredentialBoard { MemoryCredentialBoard() }
    }

    @Test func `past its capacity the keys whose rest ends first are forgotten`() {
        let board = MemoryCredentialBoard(capacity: 64)
        for number in 0..<1_000 {
            let now = Instant.seconds(Double(number))
            _ = board.note(
                .rejected, on: key(UInt64(number)), for: small, began: now, at: now, retryAfter: nil)
        }
        let states = board.states(at: .seconds(1_000))
        #expect(states.count <= 64)
        #expect(states.contains { $0.key == key(999) })
    }

    @Test func `models of one key are bounded too`() {
        let board = MemoryCredentialBoard()
        for number in 0..<500 {
            _ = note(.deniedForModel, on: board, for: model("m\(number)"), at: Double(number) / 100)
        }
        #expect(board.states(at: .seconds(6)).count == 64)
    }

    @Test func `a key of one tenant marks no other key`() {
        let board = MemoryCredentialBoard()
        for _ in 1...100 { _ = note(.rejected, on: board, at: 1) }
        #expect(board.take(key(2), for: small, at: .seconds(2)) == .usable)
    }
}
