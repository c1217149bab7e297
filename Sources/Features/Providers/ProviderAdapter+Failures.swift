internal import Dialects
public import Domain
public import NIOCore

extension ProviderAdapter {
    /// The row of the failure table for a response that is not a success; the body is read, never handed on.
    public func failureClass(status: Int, body: ByteBuffer) -> FailureClass {
        body.withUnsafeReadableBytes { UpstreamError.read($0) }.classify(status: status, kind: kind)
    }
}
