package import Domain
package import NIOCore
package import NIOHTTP1

/// What is to be sent, and on whose behalf.
package struct UpstreamRequest {
    package let endpoint: UpstreamEndpoint
    package let tenant: TenantID
    /// The provider key whose secret goes along; nil where the provider needs none.
    package let key: ProviderKeyID?
    /// The caller's headers; only those on the adapter's list are forwarded.
    package let callerHeaders: HTTPHeaders?
    package let body: ByteBuffer
    /// The time that a signature names, where the provider wants one.
    package let time: WallTime

    package init(
        endpoint: UpstreamEndpoint, tenant: TenantID, key: ProviderKeyID?, callerHeaders: HTTPHeaders? = nil,
        body: ByteBuffer = ByteBuffer(), time: WallTime = WallTime(milliseconds: 0)
    ) {
        self.endpoint = endpoint
        self.tenant = tenant
        self.key = key
        self.callerHeaders = callerHeaders
        self.body = body
        self.time = time
    }
}
