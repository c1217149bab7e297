import Domain

/// Draws the console: a pure function from the model to a frame.
public enum ConsoleView {
    /// The whole screen at the model's size.
    public static func draw(_ model: ConsoleModel, _ glyphs: Glyphs) -> Frame { canvas(model, glyphs).frame }

    /// Where the rows are that a click can choose.
    static func hits(_ model: ConsoleModel) -> [Canvas.Hit] { canvas(model, .ascii).hits }

    private static func canvas(_ model: ConsoleModel, _ glyphs: Glyphs) -> Canvas {
        var canvas = Canvas(width: model.width, height: model.height, glyphs: glyphs)
        guard model.width > 0, model.height > 0 else { return canvas }
        var area = Area(width: model.width, height: model.height)
        let footer = area.takeBottom(area.height >= 12 ? 3 : (area.height >= 6 ? 2 : 1))
        if area.height > 2 {
            _ = area.takeTop(2)
            Header.draw(model, &canvas)
        }
        if model.hasSnapshot {
            PaneList.pane(model.pane).draw(model, &canvas, in: area)
        } else {
            canvas.put(
                "waiting for the engine's first picture", 1, area.row, Style(.textDim), width: area.width - 1)
        }
        Footer.draw(model, &canvas, in: footer)
        for dialog in model.dialogs { DialogBox.draw(dialog, model, &canvas) }
        return canvas
    }
}
