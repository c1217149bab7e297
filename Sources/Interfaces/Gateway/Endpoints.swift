import Domain
import NIOHTTP1

/// What a request line asks for.
enum Endpoint: Sendable {
    case call(Dialect)
    case models
    case live
    case ready

    /// Every path we answer, with its method: one line each.
    private static let table: [(method: HTTPMethod, path: String, endpoint: Endpoint)] = [
        (.POST, "/v1/chat/completions", .call(.openAIChat)),
        (.POST, "/v1/embeddings", .call(.openAIEmbeddings)),
        (.POST, "/v1/messages", .call(.anthropicMessages)),
        (.GET, "/v1/models", .models),
        (.GET, "/health/live", .live),
        (.GET, "/health/ready", .ready),
    ]

    /// Finds the endpoint by bytes. The official SDKs send no query here; what stands in one is refused, because a
    /// key in it would end up in logs on the way.
    static func find(_ head: HTTPRequestHead) -> Result<Endpoint, CallFailure> {
        let uri = head.uri.utf8
        let path = uri.prefix { $0 != UInt8(ascii: "?") }
        guard let match = table.first(where: { $0.path.utf8.elementsEqual(path) }) else {
            return .failure(
                CallFailure(
                    .endpointNotFound, source: .caller,
                    "no such endpoint; there are "
                        + table.map { "\($0.method) \($0.path)" }.joined(separator: ", ")))
        }
        guard match.method == head.method else {
            return .failure(
                CallFailure(.methodNotAllowed, source: .caller, "\(match.path) takes \(match.method)"))
        }
        guard path.count == uri.count || isHarmless(uri.dropFirst(path.count + 1)) else {
            return .failure(
                CallFailure(
                    .invalidRequest, source: .caller,
                    "query parameters are not taken here; a key belongs in a header"))
        }
        return .success(match.endpoint)
    }

    /// Anthropic's SDK marks beta endpoints with `?beta=true`.
    private static func isHarmless(_ query: Substring.UTF8View) -> Bool {
        query.isEmpty || query.elementsEqual("beta=true".utf8)
    }

    /// In which format failures are told.
    var dialect: Dialect {
        if case .call(let dialect) = self { return dialect }
        return .openAIModels
    }
}
