import ArgumentParser
import Assembly
import Domain
import Operations

struct UsageCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "The usage ledger: report, calls.",
        discussion: "Example:\n  gatehouse usage report --by tenant,model --since 7d",
        subcommands: [Report.self, Calls.self])

    struct Report: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Sum calls, tokens and cost.",
            discussion: """
                A call whose price is not known counts under UNPRICED and adds nothing to a cost. With tag, a call with
                several tags counts under each.

                Example:
                  gatehouse usage report --by tenant,model --since 24h --format csv
                """)
        @OptionGroup var global: GlobalOptions
        @Option(help: "Any of tenant, user, team, model, provider, key, token, tag, separated by commas.")
        var by: String = "tenant,model"
        @Option(help: "How far back: 1h, 24h, 30d.") var since: Seconds = Seconds(86_400)
        @Option(help: "Up to how long ago.") var until: Seconds = Seconds(0)
        @Option var tenant: TenantName?
        @Option(help: "table, csv or json.") var format: ReportFormat = .table

        func run() async throws {
            let session = try await global.open()
            let now = SystemClock().wall
            let columns = by.split(separator: ",").map(String.init)
            let query = UsageQuery(
                by: columns, since: now + .seconds(-since.count), until: now + .seconds(1 - until.count),
                tenant: tenant)
            guard case .usage(let lines) = try await session.question(.usageReport(query)) else { return }
            let head =
                columns.map { $0.uppercased() } + [
                    "CALLS", "FAILED", "IN", "CACHE READ", "CACHE WRITE", "OUT", "REASONING", "COST $",
                    "UNPRICED", "SAVED $",
                ]
            let rows = lines.map { line in
                line.keys.map { $0.isEmpty ? "-" : $0 } + [
                    "\(line.calls)", "\(line.failed)", "\(line.usage.input)", "\(line.usage.cacheRead)",
                    "\(line.usage.cacheWrite + line.usage.cacheWriteHour)", "\(line.usage.output)",
                    "\(line.usage.reasoning)", line.cost.dollars(decimals: 6), "\(line.unpriced)",
                    line.saved.dollars(decimals: 6),
                ]
            }
            switch format {
            case .json: try Output.json(lines)
            case .csv: Output.csv([head] + rows)
            case .table: Output.table(head, rows)
            }
        }
    }
}

extension UsageCommand {
    struct Calls: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "List a tenant's calls, newest first.",
            discussion: "Example:\n  gatehouse usage calls acme --limit 20")
        @OptionGroup var global: GlobalOptions
        @OptionGroup var listing: ListingOptions
        @Argument var tenant: TenantName
        @Option(help: "At most this many, up to 10000.") var limit: Int = 50

        func run() async throws {
            let session = try await global.open()
            guard case .calls(let rows) = try await session.question(.calls(tenant: tenant, limit: limit))
            else { return }
            try Output.listing(
                rows, json: listing.json,
                columns: [
                    "TIME", "MODEL", "TARGET", "CODE", "MS", "IN", "OUT", "COST $", "PAYS", "CACHE", "TAGS",
                    "CALL",
                ]
            ) { row in
                [
                    row.at.description, row.model, row.target?.description ?? "-", "\(row.status)",
                    "\(row.latencyMicroseconds / 1_000)", "\(row.usage.totalInput)",
                    "\(row.usage.totalOutput)",
                    row.cost.map { $0.dollars(decimals: 6) } ?? "unknown", row.payer.rawValue,
                    row.cache.rawValue, row.tags, row.call.text,
                ]
            }
        }
    }
}

/// How a report is printed.
enum ReportFormat: String, ExpressibleByArgument, CaseIterable { case table, csv, json }
