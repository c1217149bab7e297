public import Domain
public import NIOCore
public import NIOHTTP1

/// What is to be sent, and on whose behalf.
public struct UpstreamRequest {
    public let endpoint: UpstreamEndpoint
    public let tenant: TenantID
    /// The provider key whose secret goes along; nil where the provider needs none.
    public let key: ProviderKeyID?
    /// The caller's headers; only those on the adapter's list are forwarded.
    public let callerHeaders: HTTPHeaders?
    public let body: ByteBuffer
    /// The time that a signature names, where the provider wants one.
    public let time: WallTime

    public init(
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
