import Domain
import Operations
import Testing

@testable import Console

@Suite struct KeysPaneTests {
    @Test func `the frames are the ones that were looked at`() { GoldenFrame.check(.keys) }

    /// The first key of the list is the successor of the second.
    private func onTrial(_ width: Int, _ height: Int) -> ConsoleModel {
        var model = Scene.calm.model(width, height)
        model.type("5")
        var picture = model.live
        picture.providerKeys[0].state = .canary
        picture.providerKeys[0].canary = KeyCanary(
            percent: 5, ends: model.wall + .seconds(97), drainSeconds: 600)
        picture.providerKeys[1].state = .active
        picture.providerKeys[1].drainEnds = nil
        _ = model.update(.snapshot(picture))
        return model
    }

    @Test func `a key on trial shows its share and when it takes all calls`() {
        for (width, height) in [(80, 24), (120, 40), (40, 12)] {
            GoldenFrame.check(onTrial(width, height).frame(), "keys-canary.calm.\(width)x\(height)")
        }
    }

    @Test(arguments: ["", "j"])
    func `u ends a trial, on the new key as on the old one`(moves: String) throws {
        var model = onTrial(80, 24)
        model.type(moves + "u")
        model.press(.right)
        guard case .perform(_, .keyUndo(let key), _)? = model.press(.enter).first else {
            Issue.record("no undo")
            return
        }
        #expect(key == (moves.isEmpty ? Fixture.id(100) : Fixture.id(101)))
        #expect(!model.screen.isEmpty)
    }
}
