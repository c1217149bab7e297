import Domain
import Foundation
import GRDB
import Storage

// Audit drafts as columns: the same ones in the control database's chain and in a tenant's outbox.
extension AuditDraft {
    static let columns =
        "id, at, actor, via, action, target, tenant, text_before, text_after, reason, result"

    var columnValues: [(any DatabaseValueConvertible)?] {
        [
            id.blob, at.milliseconds, actor, via, action, target, tenant?.blob, before, after, reason, result,
        ]
    }

    init(_ row: Row) throws {
        self.init(
            id: try row.id("id"), at: try row.time("at"), actor: try row.value("actor"),
            via: try row.value("via"), action: try row.value("action"), target: try row.value("target"),
            tenant: try row.optionalID("tenant"), before: try row.value("text_before"),
            after: try row.value("text_after"), reason: try row.value("reason"),
            result: try row.value("result"))
    }
}

extension AuditRecord {
    init(_ row: Row) throws {
        self.init(
            sequence: try row.value("sequence"), draft: try AuditDraft(row),
            previous: try row.bytes("previous"), hash: try row.bytes("hash"))
    }
}
