/// What a key can do.
enum CommandID: Hashable, Sendable {
    case up, down, top, bottom, halfUp, halfDown, pageUp, pageDown, left, right
    case enter, back, nextRegion, previousRegion, filter, nextError, previousError, sort, reverse, pause, copy
    case go(PaneID)
    case help, theme, palette, redraw, quit, mouse, undo
    case trip, close, hold, release, testProvider
    case addKey, rotateKey, drainKey, revokeKey, verifyKey
    case issueToken, rotateToken, revokeToken
    case addTenant, suspendTenant, purgeCache, drill, group, route, unlock
    case trafficThen, verifyAudit, exportAudit, filterActor
}
