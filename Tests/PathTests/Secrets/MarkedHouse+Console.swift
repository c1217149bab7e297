import Foundation
import TestKit
import Testing

/// The console on a real terminal: every pane, every dialog, keys pasted and typed.
extension MarkedHouse {
    /// What opens a dialog: the pane's key, then the dialog's.
    private static let dialogs: [(pane: Int, keys: [String])] = [
        (3, ["j", "T"]), (3, ["C"]), (3, ["H"]), (4, ["n"]), (4, ["P"]), (4, ["X"]), (4, ["D"]), (4, ["w"]),
        (5, ["n"]), (5, ["r"]), (5, ["d"]), (5, ["x"]), (5, ["v"]), (5, ["u"]), (5, ["Tab", "n"]),
        (5, ["Tab", "r"]), (5, ["Tab", "x"]), (6, ["X"]), (2, ["w"]), (8, ["u"]), (1, ["?"]), (1, [":"]),
    ]

    /// Leaves whatever is open. Escape counts by itself only when nothing follows it at once, so it is tried again.
    private func go(to pane: Int, _ screen: Screen) throws {
        try waitUntil("pane \(pane)") {
            try screen.press("Escape")
            usleep(60_000)
            try screen.press("Escape")
            usleep(60_000)
            try screen.press("\(pane)")
            let text = try screen.text()
            return text.contains("[\(pane) ") && !text.contains("esc cancel")
        }
    }

    func console() throws {
        let raw = house.folder.path + "/terminal"
        let screen = try Screen(house, width: 120, height: 40, raw: raw)
        try screen.shows("passphrase of")
        try screen.type(text("passphrase after"))
        try screen.press("Enter")
        try screen.shows("LIVE")
        house.adopt(try screen.port())
        try call(tokens[0])
        for pane in 1...8 {
            try go(to: pane, screen)
            try screen.press("Enter")
            _ = try screen.text()
        }
        for (pane, keys) in Self.dialogs {
            try go(to: pane, screen)
            let before = try screen.text()
            for key in keys { try screen.press(key) }
            try waitUntil("\(pane) \(keys) changes the screen") { try screen.text() != before }
        }
        try enterKeys(screen)
        try issue(screen)
        try unlock(screen)
        try screen.resize(40, 12)
        for pane in 1...8 {
            try screen.press("\(pane)")
            _ = try screen.text()
        }
        try gatherSocket("with a console")
        gather("with a console")
        try screen.endEngine(SIGTERM)
        try screen.shows("LEFT rc=0")
        sweep.add(screen.seen, to: "screens", part: "captures")
        sweep.add(
            FileManager.default.contents(atPath: raw) ?? Data(), to: "bytes to the terminal", part: "all",
            expected: ["virtual key of the console"])
    }

    /// The keys pane with its mark at the first row of one of its two tables. No key is pressed before the one before has
    /// shown: a second Tab on its way would lead back.
    private func keys(in table: String, at row: String, _ screen: Screen) throws {
        try go(to: 5, screen)
        try waitUntil("a row of keys is marked") { try self.markedRow(screen) != nil }
        if try markedRow(screen)?.table != table { try screen.press("Tab") }
        try waitUntil("the mark is among the \(table)") { try self.markedRow(screen)?.table == table }
        try screen.press("g")
        try waitUntil("the mark is at \(row)") {
            try self.markedRow(screen)?.line.hasPrefix(">" + row) ?? false
        }
    }

    /// Which row of the keys pane has the mark, and in which table it stands.
    private func markedRow(_ screen: Screen) throws -> (table: String, line: Substring)? {
        var table = ""
        for line in try screen.text().split(separator: "\n") {
            for title in ["Provider keys", "Virtual keys"] where line.hasPrefix("── \(title)") {
                table = title
            }
            if line.hasPrefix(">") { return (table, line) }
        }
        return nil
    }

    /// A key is added, one is rotated, one is refused.
    private func enterKeys(_ screen: Screen) throws {
        try keys(in: "Provider keys", at: "anthropic/main", screen)
        try screen.press("n")
        try screen.shows("Add provider key")
        try screen.press("Tab", "Tab", "Tab")
        try screen.paste(text("by the console"))
        try screen.shows("[****")
        try screen.press("BTab")
        try screen.type("typed")
        try screen.press("Enter", "Enter", "Enter")
        try screen.shows("maintyped")
        try keys(in: "Provider keys", at: "anthropic/main", screen)
        try screen.press("r")
        try screen.shows("Rotate key")
        try screen.paste(text("refused"))
        try screen.press("Enter")
        try screen.shows("Nothing was changed")
        try keys(in: "Provider keys", at: "anthropic/main", screen)
        try screen.press("r")
        try screen.shows("Rotate key")
        try screen.type(text("by the console, anew"))
        try screen.press("Enter")
        try screen.shows("verified")
        try screen.press("Escape")
        // Pasted where no secret is asked for: into a filter, and into nothing.
        try screen.paste(text("third"))
        try screen.press("Escape", "Escape")
    }

    /// A virtual key is on the screen once; what the screen shows then is no leak, and what it shows after is.
    private func issue(_ screen: Screen) throws {
        try keys(in: "Virtual keys", at: "default", screen)
        try screen.press("n")
        try screen.shows("Issue virtual key", or: "Issue")
        try screen.press("Tab")
        try screen.type("console")
        for _ in 0..<5 { try screen.press("Tab") }
        screen.keeps = false
        try screen.press("Enter")
        try screen.shows("gth_")
        let shown = try screen.text()
        let issued = try #require(shown.firstMatch(of: /gth_[0-9A-Za-z]{49}/), "no whole key in \(shown)")
            .output
        sweep.keep(Secret("virtual key of the console", "issued", text: String(issued)))
        try go(to: 1, screen)
        try waitUntil("the key is off the screen") { try !screen.text().contains("gth_") }
        screen.keeps = true
        try go(to: 5, screen)
    }

    private func unlock(_ screen: Screen) throws {
        try house.command(["vault", "lock", "--reason", "test"])
        // The console asks by itself.
        try screen.shows("Unlock the vault")
        try screen.type(text("wrong passphrase"))
        try screen.press("Enter")
        try screen.shows("did not open", or: "does not open", "wrong")
        try screen.type(text("passphrase after"))
        try screen.press("Enter")
        try screen.shows("unlocked")
        try screen.press("Escape")
    }
}
