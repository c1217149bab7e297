package import Domain

/// Failures in the caller's own format.
package enum ErrorEnvelope {
    /// The body of an error answer.
    package static func body(of failure: CallFailure, dialect: Dialect, request: String) -> [UInt8] {
        let message = JSONText.quoted(failure.message)
        let code = JSONText.quoted(failure.code.rawValue)
        if dialect == .anthropicMessages {
            let type = JSONText.quoted(anthropicType(failure.status))
            return Array(
                #"{"type":"error","error":{"type":\#(type),"message":\#(message),"code":\#(code)},"request_id":\#(JSONText.quoted(request))}"#
                    .utf8)
        }
        let type = JSONText.quoted(openAIType(failure))
        let field = failure.field.map(JSONText.quoted) ?? "null"
        return Array(#"{"error":{"message":\#(message),"type":\#(type),"param":\#(field),"code":\#(code)}}"#.utf8)
    }

    /// The event that ends a stream which cannot be finished: an error, never a clean end.
    package static func frame(of failure: CallFailure, dialect: Dialect, request: String) -> [UInt8] {
        if dialect == .anthropicMessages {
            return Array("event: error\ndata: ".utf8) + body(of: failure, dialect: dialect, request: request)
                + Array("\n\n".utf8)
        }
        let message = JSONText.quoted(failure.message)
        let type = JSONText.quoted(openAIType(failure))
        let code = JSONText.quoted(failure.code.rawValue)
        return Array(
            (#"data: {"id":\#(JSONText.quoted(request)),"object":"chat.completion.chunk","#
                + #""error":{"message":\#(message),"type":\#(type),"param":null,"code":\#(code)},"#
                + #""choices":[{"index":0,"delta":{},"finish_reason":"error"}]}"# + "\n\n").utf8)
    }

    /// OpenAI's types: platform.openai.com/docs/guides/error-codes (seen 2026-11-23).
    private static func openAIType(_ failure: CallFailure) -> String {
        switch failure.status {
        case 401: "authentication_error"
        case 403: "permission_error"
        case 429: "rate_limit_error"
        case 400..<500: "invalid_request_error"
        default: "server_error"
        }
    }

    /// Anthropic's types by status: docs.anthropic.com/en/api/errors (seen 2026-11-23).
    private static func anthropicType(_ status: Int) -> String {
        switch status {
        case 401: "authentication_error"
        case 402: "billing_error"
        case 403: "permission_error"
        case 404: "not_found_error"
        case 409: "conflict_error"
        case 413: "request_too_large"
        case 429: "rate_limit_error"
        case 400..<500: "invalid_request_error"
        case 504: "timeout_error"
        case 503, 529: "overloaded_error"
        default: "api_error"
        }
    }
}

/// The answer to `GET /v1/models`, in OpenAI's shape.
package enum ModelList {
    package static func body(_ models: [(name: ModelName, owner: String)]) -> [UInt8] {
        let entries = models.map { model in
            #"{"id":\#(JSONText.quoted(model.name.text)),"object":"model","created":0,"owned_by":\#(JSONText.quoted(model.owner))}"#
        }
        return Array(#"{"object":"list","data":[\#(entries.joined(separator: ","))]}"#.utf8)
    }
}

/// Writes JSON strings.
package enum JSONText {
    /// The text in quotes, with everything escaped that RFC 8259 section 7 wants escaped, and DEL.
    package static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\r": out += "\\r"
            case "\t": out += "\\t"
            case _ where scalar.value < 0x20 || scalar.value == 0x7f:
                out += "\\u00" + hexadecimalText(of: UInt8(scalar.value))
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }
}
