import Domain
import Operations
import Testing

@testable import Console

/// What is told by colour is told by words too.
@Suite struct MonoTests {
    @Test func `each breaker state differs in text`() {
        var screens: Set<String> = []
        let holds: [BreakerHold.Mode?] = [nil, .open, .closed, .asIs]
        for position in [BreakerPosition.closed, .halfOpen, .open] {
            for mode in holds {
                var snapshot = Scene.calm.snapshot()
                snapshot.targets[0].position = position
                snapshot.targets[0].hold = mode.map {
                    BreakerHold(
                        mode: $0, owner: "mira", reason: "r", since: Scene.now, ends: Scene.now + .seconds(60)
                    )
                }
                screens.insert(StateWord.breaker(snapshot.targets[0]).text)
                var model = Scene.calm.model(40, 12)
                _ = model.update(.snapshot(snapshot))
                model.type("3")
                #expect(model.screen.contains(StateWord.breaker(snapshot.targets[0]).text))
            }
        }
        // Forced open and forced closed say the same whatever lies beneath.
        #expect(screens == ["closed", "HALF", "OPEN", "OPEN HELD", "closed HELD", "HALF HELD"])
    }

    @Test func `each key state and each health differs in text`() {
        let states = [ProviderKeyState.active, .draining, .revoked, .damaged].map { StateWord.key($0).text }
        let marks = CredentialMark.allCases.map {
            StateWord.health($0).text
        }
        #expect(Set(states).count == 4 && Set(marks).count == CredentialMark.allCases.count)
        for word in states.dropFirst() + marks.dropFirst() { #expect(word == word.uppercased()) }
    }

    @Test func `the selected row carries a mark`() {
        for pane in PaneID.allCases {
            var model = Scene.incident.model()
            model.type("\(pane.rawValue)")
            #expect(model.screen.split(separator: "\n").count { $0.hasPrefix(">") } == 1, "\(pane)")
        }
    }
}
