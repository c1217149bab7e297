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
        (.POST, "/v1/responses", .call(.openAIResponses)),
        (.POST, "/v1/embeddings", .call(.openAIEmbeddings)),
        (.POST, "/v1/messages", .call(.anthropicMessages)),
        (.POST, "/v1/messages/count_tokens", .call(.anthropicCountTokens)),
        (.GET, "/v1/models", .models),
        (.GET, "/health/live", .live),
        (.GET, "/health/ready", .ready),
    ]

    /// Why a request line leads nowhere, and in whose words to say it.
    struct Miss: Error {
        let failure: CallFailure
        let dialect: Dialect
        /// The method that would do (RFC 9110 section 15.5.6).
        var allow: HTTPMethod?
    }

    /// Finds the endpoint by bytes. The official SDKs send no query here; what stands in one is refused, because a
    /// key in it would end up in logs on the way.
    static func find(_ head: HTTPRequestHead) -> Result<Endpoint, Miss> {
        // Nearly every request line is one of the table's as it stands there.
        if let match = table.first(where: { $0.path == head.uri }), match.method == head.method {
            return .success(match.endpoint)
        }
        let uri = head.uri.utf8
        let path = uri.prefix { $0 != UInt8(ascii: "?") }
        let dialect: Dialect = path.starts(with: "/v1/messages".utf8) ? .anthropicMessages : .openAIChat
        // A target with an authority in it is for proxies, which this is not for anybody but its own endpoints.
        guard uri.first == UInt8(ascii: "/") else {
            let failure = CallFailure(
                .invalidRequest, source: .caller, "the request target must be a path, such as /v1/models")
            return .failure(Miss(failure: failure, dialect: dialect))
        }
        guard let match = table.first(where: { $0.path.utf8.elementsEqual(path) }) else {
            let failure = CallFailure(
                .endpointNotFound, source: .caller,
                "no such endpoint; there are "
                    + table.map { "\($0.method) \($0.path)" }.joined(separator: ", "))
            return .failure(Miss(failure: failure, dialect: dialect))
        }
        guard match.method == head.method else {
            let failure = CallFailure(
                .methodNotAllowed, source: .caller, "\(match.path) takes \(match.method)")
            return .failure(Miss(failure: failure, dialect: dialect, allow: match.method))
        }
        guard path.count == uri.count || isHarmless(uri.dropFirst(path.count + 1)) else {
            let failure = CallFailure(
                .invalidRequest, source: .caller,
                "query parameters are not taken here; a key belongs in a header")
            return .failure(Miss(failure: failure, dialect: dialect))
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
