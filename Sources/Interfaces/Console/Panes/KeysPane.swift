import Domain
import Operations

/// Provider keys (theirs, sealed) and virtual keys (ours): states and use, never a value.
struct KeysPane: Pane {
    let id = PaneID.keys

    func regionKeys(_ model: ConsoleModel) -> [Int] { [0, 1] }

    func listings(_ model: ConsoleModel) -> [Listing] {
        [KeyListings.providerKeys(model, key: 0), KeyListings.virtualKeys(model, key: 1)]
    }

    func crumb(_ model: ConsoleModel) -> String {
        switch model.selected {
        case .providerKey(let id)?:
            model.shown.providerKeys.first { $0.id == id }.map { "\($0.provider)/\($0.label)" } ?? ""
        case .virtualKey(let id)?: model.shown.virtualKeys.first { $0.id == id }?.name.text ?? ""
        default: ""
        }
    }

    func enter(_ row: RowID, _ model: inout ConsoleModel) {
        let name: TenantName? =
            switch row {
            case .providerKey(let id): model.shown.providerKeys.first { $0.id == id }?.tenant
            case .virtualKey(let id): model.shown.virtualKeys.first { $0.id == id }?.tenant
            default: nil
            }
        if let tenant = model.shown.tenants.first(where: { $0.name == name }) {
            model.open(.tenant(tenant.id))
        }
    }

    func draw(_ model: ConsoleModel, _ canvas: inout Canvas, in area: Area) {
        let all = model.listings(of: id)
        let focus = min(model.states[id]?.region ?? 0, 1)
        let titles = ["Provider keys", "Virtual keys"]
        let empty = ["no provider key; n adds one", "no virtual key; n issues one"]
        var area = area
        if model.isSmall {
            return table(all[focus], title: titles[focus], model, &canvas, in: area, empty: empty[focus])
        }
        let height = area.height >= 24 ? 9 : 6
        let detail =
            area.height >= 15 && model.selected != nil ? area.takeBottom(height) : Area(width: 0, height: 0)
        // The focused table gets what it needs, the other keeps at least three rows.
        let least = 5
        let wish = all[focus].count + 2
        let share = min(
            max(wish, area.height / 2),
            max(least, area.height - max(least, min(area.height / 2, all[1 - focus].count + 2))))
        let all0 = all[0].count + 2
        let fits = all0 + all[1].count + 2 <= area.height
        let first = fits ? max(all0, 3) : (focus == 0 ? share : area.height - share)
        let words = sealWords(model)
        table(
            all[0], title: titles[0], words: words, model, &canvas, in: area.takeTop(first), empty: empty[0])
        table(all[1], title: titles[1], words: "tab", model, &canvas, in: area, empty: empty[1])
        drawDetail(model, &canvas, detail)
    }

    private func sealWords(_ model: ConsoleModel) -> String {
        let vault = model.shown.vault
        let damaged = vault.damagedKeys > 0 ? ", \(vault.damagedKeys) DAMAGED" : ""
        if vault.unlocked, let work = vault.work {
            return "\(work.what == .root ? "root" : "tenants' keys") rotating: \(work.done) of \(work.total)"
                + damaged
        }
        return vault.unlocked
            ? "sealed under root v\(vault.rootVersion), values never shown\(damaged)" : "the vault is SEALED"
    }

    private func drawDetail(_ model: ConsoleModel, _ canvas: inout Canvas, _ area: Area) {
        var area = area
        guard area.height > 1 else { return }
        let lines: [(String, String)]
        switch model.selected {
        case .providerKey(let id)?:
            guard let key = model.shown.providerKeys.first(where: { $0.id == id }) else { return }
            canvas.rule(area.takeTop(1), "\(key.provider)/\(key.label)", "enter opens \(key.tenant)")
            lines = facts(key, model)
        case .virtualKey(let id)?:
            guard let key = model.shown.virtualKeys.first(where: { $0.id == id }) else { return }
            canvas.rule(area.takeTop(1), key.name.text, "enter opens \(key.tenant)")
            lines = facts(key, model)
        default: return canvas.rule(area.takeTop(1))
        }
        for line in lines.prefix(area.height) {
            let row = area.takeTop(1)
            canvas.put(line.0, row.column + 1, row.row, Style(.textDim), width: 9)
            canvas.put(line.1, row.column + 11, row.row, Style(.text), width: row.width - 11)
        }
    }

    private func facts(_ key: ProviderKeyView, _ model: ConsoleModel) -> [(String, String)] {
        let now = model.shownTime
        func label(_ id: ProviderKeyID?) -> String { id.map { model.names.name($0) } ?? "none" }
        let verdict = StateWord.verdict(key.verdict).text
        let checked = key.verdictAt.map { " \(Figure.span(now - $0)) ago" } ?? ""
        let drain = key.drainEnds.map { $0 > now ? "ends in \(Figure.span($0 - now))" : "over" }
        let used = key.lastUsed.map { "last used \(Figure.span(now - $0)) ago" } ?? "never used"
        return [
            (
                "used by",
                "\(users(of: key, model))   \(Figure.rate(key.requestsPerSecond)) rq/s, \(Figure.percent(key.rateLimitedPercent))% rate limited, \(used)"
            ),
            ("health", health(key, now)),
            ("headroom", headroom(key, now)),
        ] + trial(key, now) + (drain.map { [("drain", $0)] } ?? []) + share(key) + [
            (
                "lineage",
                "\(label(key.predecessor)) -> \(key.label) (this) -> \(label(key.successor))   made \(key.created.civil.date)"
            ),
            ("check", "\(verdict)\(checked)   fingerprint \(key.fingerprint)"),
            ("id", key.id.text),
        ]
    }

    private func trial(_ key: ProviderKeyView, _ now: WallTime) -> [(String, String)] {
        guard let canary = key.canary else { return [] }
        let ends = canary.ends > now ? "in \(Figure.span(canary.ends - now))" : "soon"
        let drain = Figure.span(.seconds(canary.drainSeconds))
        return [
            (
                "canary",
                "\(canary.percent)%, 100% \(ends); old one drains \(drain), revoked   u undoes it"
            )
        ]
    }

    private func users(of key: ProviderKeyView, _ model: ConsoleModel) -> String {
        key.tenant == model.shown.platform
            ? "\(key.tenant), and tenants that use platform keys" : "\(key.tenant) only"
    }

    /// Its part of the calls, where that was put.
    private func share(_ key: ProviderKeyView) -> [(String, String)] {
        guard key.weight != nil || !key.models.isEmpty else { return [] }
        let models = key.models.isEmpty ? "every model" : key.models.map(\.text).joined(separator: ", ")
        return [("share", "\(key.weight.map { "weight \($0)" } ?? "no weight")   for \(models)")]
    }

    private func health(_ key: ProviderKeyView, _ now: WallTime) -> String {
        func ago(_ moment: WallTime?) -> String { moment.map { "\(Figure.span(now - $0)) ago" } ?? "never" }
        let rest =
            key.health == .ok
            ? "" : key.healthUntil.map { ", tried in \(Figure.span($0 - now))" } ?? ", the next call tries it"
        return
            "\(StateWord.health(key.health).text)\(rest)   last ok \(ago(key.lastSuccess)), 401 \(ago(key.lastRejected)), 429 \(ago(key.lastRateLimited))"
    }

    /// What the provider says is left, and the models it stands otherwise with.
    private func headroom(_ key: ProviderKeyView, _ now: WallTime) -> String {
        let left = key.headroom.isEmpty ? "the provider said nothing of it" : KeyListings.headroom(key)
        let marks = key.modelMarks.map { mark in
            let until = mark.until.map { $0 > now ? " for \(Figure.span($0 - now))" : "" } ?? ""
            return "\(mark.model) \(StateWord.health(mark.mark).text)\(until)"
        }
        return marks.isEmpty ? left : "\(left)   \(marks.joined(separator: ", "))"
    }

    private func facts(_ key: VirtualKeyView, _ model: ConsoleModel) -> [(String, String)] {
        let now = model.shownTime
        let people = [key.user.map { "user \($0)" }, key.team.map { "team \($0)" }].compactMap(\.self)
        let ends =
            key.expires.map { $0 > now ? "expires in \(Figure.span($0 - now))" : "expired" }
            ?? "never expires"
        let after = key.successor.map { "   successor \(model.names.name($0))" } ?? ""
        let revoked = key.revoked.map { "   revoked \(Figure.moment($0, now: now))" } ?? ""
        return [
            ("belongs", "\(key.tenant)" + (people.isEmpty ? "" : "   \(people.joined(separator: ", "))")),
            ("models", key.models.isEmpty ? "all" : key.models.map(\.text).joined(separator: ", ")),
            ("limits", "\(KeyListings.limits(key.limits))   class \(key.callClass.rawValue)"),
            ("life", "made \(key.created.civil.date)   \(ends)\(after)\(revoked)"),
            ("print", "\(key.fingerprint)   id \(key.id)"),
        ]
    }
}
