internal import Dialects
package import Domain
package import NIOCore

extension ProviderAdapter {
    /// The row of the failure table for a response that is not a success; the body is read, never handed on.
    package func failureClass(status: Int, body: ByteBuffer) -> FailureClass {
        body.withUnsafeReadableBytes { UpstreamError.read($0) }.classify(status: status, kind: kind)
    }
}
