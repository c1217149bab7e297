import Domain

extension Instant {
    static func seconds(_ seconds: Double) -> Self { Self(nanoseconds: Int64(seconds * 1e9)) }
}

extension WallTime {
    static func seconds(_ seconds: Double) -> Self { Self(milliseconds: Int64(seconds * 1e3)) }
}

func target(_ text: String) -> Target {
    do { return try Target(text) } catch { preconditionFailure("\(error)") }
}

func model(_ text: String) -> ModelName {
    do { return try ModelName(text) } catch { preconditionFailure("\(error)") }
}

/// A hold whose civil clock runs level with the monotonic one.
func hold(_ mode: BreakerHold.Mode, from start: Double, to end: Double) -> BreakerHold {
    BreakerHold(mode: mode, owner: "mira", reason: "maintenance", since: .seconds(start), ends: .seconds(end))
}
