import Dialects
import Domain
import Engine
import Providers

// Faults that are made, in the provider's place or on top of its answer.
extension AttemptExchange {
    /// What a slow answer is late by: long enough to be seen, shorter than any client's patience.
    private static let drillDelay = Duration.seconds(3)

    /// Meets the attempt with a made fault.
    func drill(_ fault: DrillFault) {
        switch fault {
        case .rateLimited: drill(.keyRateLimit, status: 429, after: .milliseconds(20))
        case .overloaded: drill(.overloaded, status: 529, after: .milliseconds(20))
        case .badKey: drill(.badKey, status: 401, after: .milliseconds(20))
        case .slow: meet(after: Self.drillDelay) { [self] in send() }
        case .cut where !call.fields.stream: drill(.transport, status: nil, after: .milliseconds(20))
        case .stall where !call.fields.stream:
            drill(.timeoutBeforeFirstByte, status: nil, after: attempt.timeouts.firstByte)
        // The stream begins as it is: see `drillStream`.
        case .cut, .stall: send()
        }
    }

    private func drill(_ failure: FailureClass, status: Int?, after delay: Duration) {
        meet(after: delay) { [self] in
            let wait: Duration? = failure == .keyRateLimit ? .seconds(1) : nil
            let face = face(
                of: failure, status: status ?? 0, UpstreamError(type: "drill"), retryAfter: wait)
            failed(failure, status: status, retryAfter: wait, face)
        }
    }

    private func meet(after delay: Duration, _ work: @escaping () -> Void) {
        call.schedule(in: min(delay, timeLeft)) { [self] in
            // The caller may have left, or the attempt beside it have answered.
            guard case .waiting = stage, upstream == nil else { return }
            if timeLeft > .zero { work() } else { deadlinePassed() }
        }
    }

    /// A drilled stream ends, or stands still, behind its first content.
    func drillStream() {
        guard case .stream(committed: true) = stage else { return }
        switch attempt.drill {
        case .cut:
            upstream?.cancel()
            cutStream("a drill cut the stream")
        case .stall:
            upstream?.cancel()
            call.flush()
        default: break
        }
    }
}
