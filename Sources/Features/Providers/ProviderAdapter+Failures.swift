package import Domain
package import NIOCore
package import NIOHTTP1

extension ProviderAdapter {
    /// The row of the failure table for a response that is not a success.
    package func failureClass(status: Int, headers: HTTPHeaders, body: ByteBuffer) -> FailureClass {
        switch status {
        case 401: .badKey
        case 403: .notPermitted
        case 429: .keyRateLimit
        case 500...: .providerFault
        default: .unknownRefusal
        }
    }
}
