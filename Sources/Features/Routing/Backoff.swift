import Domain

/// The pause before a retry: full jitter under a doubling ceiling (AWS Architecture Blog, "Exponential Backoff And
/// Jitter"), so that calls that failed together do not come back together.
public enum Backoff {
    /// The ceiling of the first pause.
    public static var first: Duration { .milliseconds(50) }
    /// What doubling ends at.
    public static var longest: Duration { .seconds(2) }

    /// - Parameters:
    ///   - retry: which retry it is, from 0; the ceiling is `first` doubled that often.
    ///   - draw: a random number, uniform over its range.
    ///   - floor: what the provider asked for (Retry-After). The jitter is added to it: all that were told the same
    ///     moment must not come in one moment.
    public static func pause(retry: Int, draw: UInt64, floor: Duration?) -> Duration {
        let jitter = draw.multipliedFullWidth(by: UInt64(ceiling(of: retry).wholeNanoseconds) + 1).high
        return max(floor ?? .zero, .zero) + .nanoseconds(Int64(jitter))
    }

    private static func ceiling(of retry: Int) -> Duration {
        var ceiling = first
        for _ in 0..<max(0, min(retry, 32)) where ceiling < longest { ceiling += ceiling }
        return min(ceiling, longest)
    }
}
