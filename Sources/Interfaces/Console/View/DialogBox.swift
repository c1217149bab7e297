/// The box a dialog is drawn in: the one place with a frame on four sides; the whole screen when that is small.
enum DialogBox {
    static func draw(_ dialog: any Dialog, _ model: ConsoleModel, _ canvas: inout Canvas) {
        let screen = Area(width: model.width, height: model.height)
        let style = Style(.text, on: dialog.ground)
        if model.isSmall {
            // The first row stays: it says which gateway this is, and whether it is the demo.
            canvas.fill(Area(column: 0, row: 1, width: screen.width, height: screen.height - 1), style)
            guard model.width >= 30, model.height >= 6 else {
                canvas.put("\(dialog.title): needs 60x16; esc closes", 0, 1, style, width: model.width)
                return
            }
            canvas.rule(
                Area(column: 0, row: 1, width: screen.width, height: 1), dialog.title, "esc closes",
                on: dialog.ground)
            let inner = Area(column: 1, row: 2, width: screen.width - 2, height: screen.height - 2)
            return dialog.draw(model, &canvas, in: inner)
        }
        let wish = dialog.size(model, width: model.width)
        let width = min(wish.width + 4, model.width - 2)
        let height = min(wish.height + 2, model.height - 5)
        let box = Area(
            column: (model.width - width) / 2, row: 2 + max(0, (model.height - 5 - height) / 2), width: width,
            height: height)
        canvas.fill(box, style)
        border(box, dialog, &canvas)
        let inner = Area(
            column: box.column + 2, row: box.row + 1, width: box.width - 4, height: box.height - 2)
        dialog.draw(model, &canvas, in: inner)
    }

    private static func border(_ box: Area, _ dialog: any Dialog, _ canvas: inout Canvas) {
        let glyphs = canvas.glyphs
        let edge = Style(dialog.ground == .danger ? .dangerForeground : .focus, on: dialog.ground)
        for column in (box.column + 1)..<(box.right - 1) {
            canvas.sign(glyphs.rule, column, box.row, edge)
            canvas.sign(glyphs.rule, column, box.bottom - 1, edge)
        }
        for row in (box.row + 1)..<(box.bottom - 1) {
            canvas.sign(glyphs.divider, box.column, row, edge)
            canvas.sign(glyphs.divider, box.right - 1, row, edge)
        }
        canvas.sign(glyphs.topLeft, box.column, box.row, edge)
        canvas.sign(glyphs.topRight, box.right - 1, box.row, edge)
        canvas.sign(glyphs.bottomLeft, box.column, box.bottom - 1, edge)
        canvas.sign(glyphs.bottomRight, box.right - 1, box.bottom - 1, edge)
        canvas.put(
            " \(dialog.title) ", box.column + 3, box.row, Style(.title, on: dialog.ground),
            width: box.width - 6)
    }
}
