public import Domain

/// The trial of a half-open breaker: one probe at a time, good ones counted, whatever is lost or comes late.
///
/// A probe is known by its number. Its slot is free again when its result or its first content came, when it was
/// given back, or when its time is up; a number that holds no slot moves nothing. A probe that showed content early
/// has been judged once and is not judged again when it ends well; that it broke off later is still heard.
public struct Probation: Sendable {
    private struct Slot: Sendable {
        let number: UInt32
        let began: Instant
        let ends: Instant
    }

    /// Confirmed probes remembered until their results come. More can only wait when results were lost; what is
    /// forgotten is a late failure of a probe that had already shown content.
    private static var confirmedMax: Int { 16 }

    /// Good probes since the breaker became half-open.
    public private(set) var successes = 0
    private var slot: Slot?
    private var given: UInt32 = 0
    private var confirmed: [UInt32] = []

    public init() {}

    /// Whether a probe is on its way; one whose time is up is not.
    public func isTaken(at now: Instant) -> Bool {
        guard let slot else { return false }
        return now < slot.ends
    }

    /// Gives the slot to a new probe; returns its number.
    public mutating func take(at now: Instant, timeout: Duration) -> UInt32 {
        // Skips 0 on wrap-around: that number means an ordinary call.
        given = given == .max ? 1 : given + 1
        slot = Slot(number: given, began: now, ends: now + timeout)
        return given
    }

    /// Frees the slot; false for a probe that does not hold it.
    public mutating func giveBack(_ number: UInt32) -> Bool {
        guard slot?.number == number else { return false }
        slot = nil
        return true
    }

    /// The probe's first content came: frees the slot and says how long it took; nil for one that does not hold it.
    public mutating func confirm(_ number: UInt32, at now: Instant) -> Duration? {
        guard let slot, slot.number == number else { return nil }
        self.slot = nil
        if confirmed.count >= Self.confirmedMax { confirmed.removeFirst() }
        confirmed.append(number)
        return now - slot.began
    }

    /// Whether the probe had been confirmed before; forgets it, as its result comes only once.
    public mutating func settle(_ number: UInt32) -> Bool {
        guard let place = confirmed.firstIndex(of: number) else { return false }
        confirmed.remove(at: place)
        return true
    }

    /// Counts a good probe; returns how many there are now.
    public mutating func count() -> Int {
        successes += 1
        return successes
    }

    /// Begins anew for another position: frees the slot and forgets what was counted.
    public mutating func restart() {
        slot = nil
        successes = 0
    }

    /// Forgets the confirmed probes too: a new era began, and their results say nothing of it.
    public mutating func forget() {
        restart()
        confirmed.removeAll()
    }
}
