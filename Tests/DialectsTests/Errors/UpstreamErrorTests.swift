import Dialects
import Domain
import Testing

@Suite struct UpstreamErrorTests {
    private func read(_ body: String) -> UpstreamError { lend(body) { UpstreamError.read($0) } }

    @Test(arguments: [
        (
            #"{"error":{"message":"M","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
            UpstreamError(type: "invalid_request_error", code: "invalid_api_key", message: "M")
        ),
        (
            #"{"type":"error","error":{"type":"rate_limit_error","message":"M","details":{"error_code":"e"}},"request_id":"r"}"#,
            UpstreamError(type: "rate_limit_error", message: "M", reason: "e")
        ),
        (
            #"{"error":{"code":400,"message":"M","status":"INVALID_ARGUMENT","details":[{"@type":"x","reason":"API_KEY_INVALID"}]}}"#,
            UpstreamError(type: "INVALID_ARGUMENT", code: "400", message: "M", reason: "API_KEY_INVALID")
        ),
        (#"[{"error":{"code":429,"message":"M"}}]"#, UpstreamError(code: "429", message: "M")),
        (
            #"{"object":"error","message":"M","type":"BadRequestError","param":null,"code":400}"#,
            UpstreamError(type: "BadRequestError", code: "400", message: "M")
        ),
        (
            #"{"code":"C","error":"Incorrect API key provided"}"#,
            UpstreamError(code: "C", message: "Incorrect API key provided")
        ),
        (#"{"detail":"M"}"#, UpstreamError(message: "M")),
        (
            #"{"error":{"code":429,"status":"S","details":[{"@type":"x","retryDelay":"38.07s"}]}}"#,
            UpstreamError(type: "S", code: "429", retryDelay: .milliseconds(38_070))
        ),
        (
            #"{"error":{"details":[{"retryDelay":"90000s"},{"retryDelay":"soon"}]}}"#, UpstreamError()
        ),
        (
            #"{"error":{"code":403,"metadata":{"reasons":["a"],"flagged_input":"x"}}}"#,
            UpstreamError(code: "403", reason: "flagged_input")
        ),
        (
            #"{"id":"g","choices":[{"index":0,"finish_reason":"error","error":{"code":502,"message":"M"}}]}"#,
            UpstreamError(code: "502", message: "M")
        ),
        (
            #"{"id":"c","choices":[],"x_groq":{"id":"r","error":"M"}}"#, UpstreamError(message: "M")
        ),
        ("<html>502</html>", UpstreamError()), ("", UpstreamError()), ("[]", UpstreamError()),
        (#"{"error":{"message":"cut off","type":"#, UpstreamError(message: "cut off")),
        (#"{"error":{"message":{"a":1},"type":[1],"code":null}}"#, UpstreamError()),
    ])
    func `each provider's envelope is read`(body: String, expected: UpstreamError) {
        #expect(read(body) == expected)
    }

    @Test func `an error body cut or changed at any byte is still read as something`() {
        let body = Array(
            #"[{"type":"error","error":{"type":"t","code":7,"message":"m\u00e9","details":[{"reason":"r"}]}}]"#
                .utf8)
        for place in body.indices {
            for change in [nil, 0x00, 0x22, 0x5c, 0x7b, 0xff] as [UInt8?] {
                var damaged = body
                if let change { damaged[place] = change } else { damaged.removeSubrange(place...) }
                let error = lend(damaged) { UpstreamError.read($0) }
                #expect(error.classify(status: 500, kind: .openai) == .providerFault)
                #expect(lend(damaged) { UnaryReader.usage(in: $0, as: .openAIChat) } == nil)
            }
        }
    }

    @Test func `texts are bounded and hold no control characters`() {
        let error = read(
            "{\"error\":{\"message\":\"a\\r\\n\\u001b[2J\\u0085b\\u202e\\u2028c\",\"type\":\"t\\u0000\"}}")
        #expect(error.message == "a[2Jbc")
        #expect(error.type == "t")
        let long = read("{\"error\":{\"message\":\"\(String(repeating: "é", count: 5_000))\"}}")
        #expect(long.message?.utf8.count == UpstreamError.messageBytesMost)
    }

    /// One line for each row of the table, from the providers' documentation or from public bug reports.
    @Test(arguments: [
        (401, ProviderKind.openai, #"{"error":{"code":"invalid_api_key"}}"#, FailureClass.badKey),
        (401, .anthropic, "", .badKey),
        (400, .openaiCompatible, #"{"code":"C","error":"Incorrect API key provided: xa***"}"#, .badKey),
        (400, .openaiCompatible, #"{"error":{"details":[{"reason":"API_KEY_INVALID"}]}}"#, .badKey),
        (402, .openaiCompatible, #"{"error":{"message":"Insufficient Balance"}}"#, .keyQuota),
        (429, .openai, #"{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#, .keyQuota),
        (
            400, .anthropic,
            #"{"error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API."}}"#,
            .keyQuota
        ),
        (
            400, .anthropic,
            #"{"error":{"message":"You have reached your specified API usage limits. You will regain access on"}}"#,
            .keyQuota
        ),
        (
            429, .anthropic,
            #"{"error":{"type":"rate_limit_error","details":{"error_code":"enforced_spend_limit_reached"}}}"#,
            .keyQuota
        ),
        (429, .openai, #"{"error":{"type":"requests","code":"rate_limit_exceeded"}}"#, .keyRateLimit),
        (429, .anthropic, "garbage", .keyRateLimit),
        (403, .anthropic, #"{"error":{"type":"permission_error"}}"#, .notPermitted),
        (
            404, .openai, #"{"error":{"code":"model_not_found","message":"The model `x` does not exist"}}"#,
            .notPermitted
        ),
        (404, .anthropic, #"{"error":{"type":"not_found_error"}}"#, .callerFault),
        (400, .openai, #"{"error":{"code":"context_length_exceeded"}}"#, .contextWindow),
        (
            400, .anthropic, #"{"error":{"message":"prompt is too long: 210000 tokens > 200000 maximum"}}"#,
            .contextWindow
        ),
        (
            400, .openaiCompatible, #"{"message":"This model's maximum context length is 4096 tokens."}"#,
            .contextWindow
        ),
        (400, .openai, #"{"error":{"code":"content_filter"}}"#, .contentPolicy),
        (400, .openai, #"{"error":{"code":"content_policy_violation"}}"#, .contentPolicy),
        (408, .openai, "", .timeoutBeforeFirstByte), (504, .openai, "", .timeoutBeforeFirstByte),
        (529, .anthropic, #"{"error":{"type":"overloaded_error","message":"Overloaded"}}"#, .overloaded),
        (
            503, .openai,
            #"{"error":{"message":"The engine is currently overloaded, please try again later"}}"#,
            .overloaded
        ),
        (503, .openaiCompatible, #"{"error":{"code":503,"status":"UNAVAILABLE"}}"#, .overloaded),
        (503, .openai, "", .providerFault), (500, .openai, "", .providerFault),
        (502, .openai, "", .providerFault),
        (424, .openaiCompatible, "", .providerFault), (520, .openai, "", .providerFault),
        (301, .openai, "", .providerFault), (200, .openai, "", .providerFault),
        (400, .openai, #"{"error":{"type":"invalid_request_error"}}"#, .callerFault),
        (404, .openai, "", .callerFault), (413, .anthropic, "", .callerFault),
        (422, .openaiCompatible, "", .callerFault),
        (409, .openai, "", .unknownRefusal), (418, .openai, "", .unknownRefusal),
    ])
    func `an answer is classified as the table says`(
        status: Int, kind: ProviderKind, body: String, expected: FailureClass
    ) {
        #expect(read(body).classify(status: status, kind: kind) == expected)
    }

    @Test func `a message that repeats the caller's words does not condemn the key`() {
        let echo = read(
            #"{"error":{"message":"Invalid value: 'Incorrect API key provided. insufficient_quota'"}}"#)
        #expect(echo.classify(status: 400, kind: .openai) == .callerFault)
        let passed = read(
            #"{"error":{"message":"Invalid value: 'Your team x has either used all available credits'"}}"#)
        #expect(passed.classify(status: 403, kind: .openaiCompatible) == .notPermitted)
        let far = read(
            "{\"error\":\"Your team \(String(repeating: "x", count: 200)) has either used all available credits\"}"
        )
        #expect(far.classify(status: 429, kind: .openaiCompatible) == .keyRateLimit)
        let balance = read(#"{"error":{"message":"Your credit balance is too low"}}"#)
        #expect(balance.classify(status: 400, kind: .openai) == .callerFault)
    }

    @Test func `an error inside a stream implies its status`() {
        #expect(UpstreamError(code: "insufficient_quota").impliedStatus == 429)
        #expect(UpstreamError(type: "overloaded_error").impliedStatus == 529)
        #expect(UpstreamError(type: "authentication_error").impliedStatus == 401)
        #expect(UpstreamError(code: "503").impliedStatus == 503)
        #expect(UpstreamError(type: "server_error").impliedStatus == 500)
        #expect(UpstreamError().impliedStatus == 500)
    }
}
