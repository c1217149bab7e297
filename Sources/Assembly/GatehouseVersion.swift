import Metering

/// What this program says of itself.
public enum GatehouseVersion {
    public static let text = "0.1.0"

    public static var lines: [String] {
        ["gatehouse \(text)", "prices \(PriceBook.builtIn.version)"]
    }
}
