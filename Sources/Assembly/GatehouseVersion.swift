import Metering

/// What this program says of itself.
package enum GatehouseVersion {
    package static let text = "0.1.0"

    package static var lines: [String] {
        ["gatehouse \(text)", "prices \(PriceBook.builtIn.version)"]
    }
}
