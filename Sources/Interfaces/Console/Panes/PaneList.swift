/// All panes: a new one is a file beside this and a line here.
enum PaneList {
    static let all: [any Pane] = [
        OverviewPane(),
        TrafficPane(),
        ProvidersPane(),
        TenantsPane(),
        KeysPane(),
        CachePane(),
        CostsPane(),
        AuditPane(),
    ]

    static func pane(_ id: PaneID) -> any Pane { all.first { $0.id == id } ?? OverviewPane() }
}
