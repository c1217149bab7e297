import Cipher
import Dialects
import Domain
import Engine
import NIOCore
import NIOHTTP1
import Providers

// What went wrong, and what the caller is told of it.
extension AttemptExchange {
    /// The attempt failed, and the caller has seen nothing of it.
    func failed(
        _ kind: FailureClass, status: Int? = nil, retryAfter: Duration? = nil, _ face: CallFailure
    ) {
        stage = .over
        contentTimer?.cancel()
        call.failed(
            self, CallExchange.Failure(kind: kind, status: status, retryAfter: retryAfter, face: face))
    }

    func upstreamFailed(_ failure: UpstreamFailure) {
        if isDeadline(failure) { return deadlinePassed() }
        switch stage {
        case .stream(committed: true): endStream(cut: failure)
        case .passing: cutPassing("\(failure)")
        case .over: break
        case .waiting, .error, .whole, .stream(committed: false):
            let progress: UpstreamFailure.Progress =
                if case .waiting = stage { .beforeHead } else { .beforeContent }
            guard let known = failure.failureClass(at: progress) else {
                return failed(
                    .cancelled,
                    CallFailure(.overloaded, source: .gateway, "\(failure)", retryAfter: .seconds(1)))
            }
            let code: CallFailure.Code = known == .timeoutBeforeFirstByte ? .upstreamTimeout : .upstreamFailed
            failed(known, CallFailure(code, source: .provider, "\(attempt.target): \(failure)"))
        }
    }

    /// Whether the call's own time ran out, rather than a bound of the provider's: that says nothing of the provider.
    private func isDeadline(_ failure: UpstreamFailure) -> Bool {
        guard case .timeout(let which) = failure else { return false }
        let bounds = attempt.timeouts
        return switch which {
        case .total: true
        case .connect: bounds.total <= bounds.connect
        case .firstByte: bounds.total <= bounds.firstByte
        case .idle: false
        }
    }

    func deadlinePassed() {
        switch stage {
        case .stream(committed: true): cutStream("the call's own time ran out", .cancelled)
        case .passing: cutPassing("\(UpstreamFailure.timeout(.total))", .cancelled)
        case .over: break
        case .waiting, .error, .whole, .stream(committed: false):
            failed(
                .cancelled,
                CallFailure(
                    .deadlineExceeded, source: .gateway,
                    "the call's own time ran out while \(attempt.target) worked on it"))
        }
    }

    func classify(_ status: Int, _ headers: HTTPHeaders, _ body: ByteBuffer) {
        let error = body.withUnsafeReadableBytes { UpstreamError.read($0) }
            .labelled(headers.first(name: "x-amzn-errortype"))
        let failure = error.classify(status: status, kind: attempt.provider.definition.kind)
        let asked = RetryAfter.parse(
            headers.lazy.map { (name: $0.name, value: $0.value) }, ofKey: failure == .keyRateLimit,
            now: call.loop.parts.clock.wall)
        let wait = [asked, error.retryDelay].compactMap { $0 }.max()
        failed(
            failure, status: status, retryAfter: wait,
            face(of: failure, status: status, error, retryAfter: wait))
    }

    /// The provider's 200 holds an error, and nothing of it went to the caller yet.
    func refusedInside(_ error: UpstreamError) {
        let status = error.impliedStatus
        let failure = error.classify(status: status, kind: attempt.provider.definition.kind)
        failed(
            failure, status: 200, retryAfter: error.retryDelay,
            face(of: failure, status: status, error, retryAfter: error.retryDelay))
    }

    /// What the caller is told. A provider's own words go on only where they are about the caller's request.
    func face(
        of failure: FailureClass, status: Int, _ error: UpstreamError, retryAfter: Duration?
    ) -> CallFailure {
        let target = attempt.target
        switch failure {
        case .callerFault, .contextWindow, .contentPolicy, .unknownRefusal:
            let words = error.message.map { isEchoOfSecret($0) ? "" : $0 } ?? ""
            return CallFailure(
                .upstreamRefused, source: .caller,
                words.isEmpty ? "\(target) refused the request with \(status)" : words,
                status: status)
        case .badKey:
            return CallFailure(
                .upstreamRefused, source: .providerKey,
                "\(target) rejects this tenant's provider key; its owner has to replace it")
        case .notPermitted:
            return CallFailure(
                .upstreamRefused, source: .providerKey,
                "this tenant's provider key may not use \(target)", status: 403)
        case .keyQuota:
            return CallFailure(
                .upstreamRefused, source: .providerKey,
                "the quota or credit of this tenant's provider key for \(target) is spent", status: 402)
        case .keyRateLimit:
            return CallFailure(
                .upstreamRefused, source: .providerKey,
                "\(target) limits the rate of this tenant's provider key",
                retryAfter: retryAfter ?? .seconds(1), status: 429)
        case .timeoutBeforeFirstByte:
            return CallFailure(
                .upstreamTimeout, source: .provider, "\(target) did not answer in time (\(status))")
        default:
            return CallFailure(
                .upstreamFailed, source: .provider, "\(target) failed with \(status)", retryAfter: retryAfter)
        }
    }

    /// Whether a text gives back the key that was sent; true also when the vault is locked meanwhile.
    private func isEchoOfSecret(_ text: String) -> Bool {
        guard attempt.keyID != nil else { return false }
        let bytes = Array(text.utf8)
        let found = try? call.session.withSecret(of: attempt, at: now) { secret in
            secret.withBytes { SecretEcho.isIn(bytes, $0) }
        }
        return found ?? true
    }
}
