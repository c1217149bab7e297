import Domain
import Foundation
import GRDB
import Storage

// The ledger's rows, both ways, and the report over them.
extension LedgerRow {
    /// Appends rows; a call that is there already is skipped.
    static func append(_ rows: [LedgerRow], to database: Database) throws {
        let insert = try database.cachedStatement(
            sql: """
                INSERT INTO usage
                    (call, virtual_key, at, dialect, model, target_provider, target_model, provider_key,
                     user_name, team, tags, status, ending, failure, cache, attempts, input, cache_read,
                     cache_write, cache_write_hour, output, reasoning, usage_source, cost, saved,
                     price_version, latency_us, first_byte_us, payer)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (call) DO NOTHING
                """)
        let tagged = "INSERT INTO usage_tags (usage, tag) VALUES (?, ?)"
        var usage = Binding(insert)
        // Where they lie: handed over as values, each row would be copied twice.
        try rows.withUnsafeBufferPointer { rows in
            guard let first = rows.baseAddress else { return }
            for place in rows.indices {
                bind(first + place, after: first + max(0, place - 1), to: &usage)
                try usage.step(in: database)
                guard !rows[place].tags.isEmpty, database.changesCount == 1 else { continue }
                let position = database.lastInsertedRowID
                var tags = Binding(try database.cachedStatement(sql: tagged))
                for tag in rows[place].tagList {
                    tags.bind(position)
                    tags.bind(tag)
                    try tags.step(in: database)
                }
            }
        }
    }

    /// - Parameter last: the row bound before, if any: most of what two calls' rows say is the same.
    private static func bind(
        _ row: UnsafePointer<LedgerRow>, after last: UnsafePointer<LedgerRow>, to statement: inout Binding
    ) {
        let isSameTarget = row.pointee.target == last.pointee.target
        statement.bind(row.pointee.call)
        statement.bind(row.pointee.virtualKey, unless: row.pointee.virtualKey == last.pointee.virtualKey)
        statement.bind(row.pointee.at.milliseconds, unless: row.pointee.at == last.pointee.at)
        statement.bind(
            row.pointee.dialect.rawValue, unless: row.pointee.dialect == last.pointee.dialect)
        statement.bind(row.pointee.model, unless: row.pointee.model.hasBytes(of: last.pointee.model))
        statement.bind(row.pointee.target?.provider.text, unless: isSameTarget)
        statement.bind(row.pointee.target?.model.text, unless: isSameTarget)
        statement.bind(row.pointee.providerKey, unless: row.pointee.providerKey == last.pointee.providerKey)
        statement.bind(row.pointee.user, unless: row.pointee.user.hasBytes(of: last.pointee.user))
        statement.bind(row.pointee.team, unless: row.pointee.team.hasBytes(of: last.pointee.team))
        statement.bind(row.pointee.tags, unless: row.pointee.tags.hasBytes(of: last.pointee.tags))
        statement.bind(Int64(row.pointee.status), unless: row.pointee.status == last.pointee.status)
        statement.bind(row.pointee.end.rawValue, unless: row.pointee.end == last.pointee.end)
        statement.bind(
            row.pointee.failure?.rawValue, unless: row.pointee.failure == last.pointee.failure)
        statement.bind(row.pointee.cache.rawValue, unless: row.pointee.cache == last.pointee.cache)
        statement.bind(Int64(row.pointee.attempts), unless: row.pointee.attempts == last.pointee.attempts)
        statement.bind(row.pointee.usage.input, unless: row.pointee.usage.input == last.pointee.usage.input)
        statement.bind(
            row.pointee.usage.cacheRead, unless: row.pointee.usage.cacheRead == last.pointee.usage.cacheRead)
        statement.bind(
            row.pointee.usage.cacheWrite,
            unless: row.pointee.usage.cacheWrite == last.pointee.usage.cacheWrite)
        statement.bind(
            row.pointee.usage.cacheWriteHour,
            unless: row.pointee.usage.cacheWriteHour == last.pointee.usage.cacheWriteHour)
        statement.bind(
            row.pointee.usage.output, unless: row.pointee.usage.output == last.pointee.usage.output)
        statement.bind(
            row.pointee.usage.reasoning, unless: row.pointee.usage.reasoning == last.pointee.usage.reasoning)
        statement.bind(
            row.pointee.usageSource.rawValue,
            unless: row.pointee.usageSource == last.pointee.usageSource)
        statement.bind(row.pointee.cost?.nanoUSD, unless: row.pointee.cost == last.pointee.cost)
        statement.bind(row.pointee.saved?.nanoUSD, unless: row.pointee.saved == last.pointee.saved)
        statement.bind(
            row.pointee.priceVersion, unless: row.pointee.priceVersion.hasBytes(of: last.pointee.priceVersion)
        )
        statement.bind(
            row.pointee.latencyMicroseconds,
            unless: row.pointee.latencyMicroseconds == last.pointee.latencyMicroseconds)
        statement.bind(
            row.pointee.firstByteMicroseconds,
            unless: row.pointee.firstByteMicroseconds == last.pointee.firstByteMicroseconds)
        statement.bind(row.pointee.payer.rawValue, unless: row.pointee.payer == last.pointee.payer)
    }

    init(_ row: Row, tenant: TenantID) throws {
        let provider: ProviderName? = try row.optionalName("target_provider")
        let model: ModelName? = try row.optionalName("target_model")
        self.init(
            call: try row.id("call"), tenant: tenant, virtualKey: try row.id("virtual_key"),
            at: try row.time("at"), dialect: try row.choice("dialect"), model: try row.value("model"),
            target: provider.flatMap { provider in model.map { Target(provider: provider, model: $0) } },
            providerKey: try row.optionalID("provider_key"), user: try row.value("user_name"),
            team: try row.value("team"), tags: try row.value("tags"), status: try row.value("status"),
            end: try row.choice("ending"), failure: try row.optionalChoice("failure"),
            cache: try row.choice("cache"), attempts: try row.value("attempts"), usage: try Usage(row),
            usageSource: try row.choice("usage_source"), cost: try row.optionalMoney("cost"),
            saved: try row.optionalMoney("saved"), priceVersion: try row.value("price_version"),
            latencyMicroseconds: try row.value("latency_us"),
            firstByteMicroseconds: try row.value("first_byte_us"), payer: try row.choice("payer"))
    }
}

extension Usage {
    fileprivate init(_ row: Row) throws {
        self.init(
            input: try row.value("input"), cacheRead: try row.value("cache_read"),
            cacheWrite: try row.value("cache_write"), cacheWriteHour: try row.value("cache_write_hour"),
            output: try row.value("output"), reasoning: try row.value("reasoning"))
    }
}

extension Row {
    fileprivate func optionalMoney(_ column: String) throws -> Money? {
        try (optional(column) as Int64?).map(Money.init(nanoUSD:))
    }
}

extension UsageSum {
    /// Sums in SQL what `UsageSum.sums` does in memory: see there for tags and empty keys.
    ///
    /// The statement is put together from constant pieces only; times are bound.
    static func report(
        since: WallTime, until: WallTime, by dimensions: [UsageDimension], in database: Database
    ) throws -> [UsageSum] {
        let keys = dimensions.enumerated().map { "\($0.element.expression) AS key\($0.offset)" }
        let places = dimensions.indices.map { "key\($0)" }.joined(separator: ", ")
        let sql = """
            SELECT \((keys + [sums]).joined(separator: ", "))
            FROM usage \(dimensions.contains(.tag) ? "LEFT JOIN usage_tags ON usage_tags.usage = usage.row" : "")
            WHERE at >= ? AND at < ?
            \(places.isEmpty ? "" : "GROUP BY " + places)
            HAVING COUNT(*) > 0
            \(places.isEmpty ? "" : "ORDER BY " + places)
            """
        let arguments: StatementArguments = [since.milliseconds, until.milliseconds]
        return try Row.fetchAll(database, sql: sql, arguments: arguments).map { row in
            UsageSum(
                keys: try dimensions.enumerated().map { index, dimension in
                    try dimension.text(in: row, column: "key\(index)")
                },
                calls: try row.value("calls"), failed: try row.value("failed"), usage: try Usage(row),
                cost: Money(nanoUSD: try row.value("cost")), unpriced: try row.value("unpriced"),
                saved: Money(nanoUSD: try row.value("saved")))
        }
    }

    private static let sums = """
        COUNT(*) AS calls, SUM(ending IN ('failed', 'cut')) AS failed,
        SUM(input) AS input, SUM(cache_read) AS cache_read, SUM(cache_write) AS cache_write,
        SUM(cache_write_hour) AS cache_write_hour, SUM(output) AS output, SUM(reasoning) AS reasoning,
        COALESCE(SUM(cost), 0) AS cost, SUM(cost IS NULL) AS unpriced, COALESCE(SUM(saved), 0) AS saved
        """
}

extension UsageDimension {
    fileprivate var expression: String {
        switch self {
        case .user: "user_name"
        case .team: "team"
        case .model: "model"
        case .provider: "COALESCE(target_provider, '')"
        case .key: "COALESCE(provider_key, x'')"
        case .virtualKey: "virtual_key"
        case .tag: "COALESCE(usage_tags.tag, '')"
        }
    }

    fileprivate func text(in row: Row, column: String) throws -> String {
        switch self {
        case .key:
            let bytes = try row.bytes(column)
            return ProviderKeyID(bytes: bytes)?.text ?? ""
        case .virtualKey:
            let id: VirtualKeyID = try row.id(column)
            return id.text
        case .user, .team, .model, .provider, .tag: return try row.value(column)
        }
    }
}
