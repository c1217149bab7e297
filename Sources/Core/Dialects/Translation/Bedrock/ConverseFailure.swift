/// What an exception or error inside a ConverseStream means, with the HTTP status it stands for as its code.
enum ConverseFailure {
    /// The exceptions of Bedrock's runtime and their statuses (Amazon Bedrock API reference, "ConverseStream" and
    /// "Converse"); in a stream their names begin in lower case.
    private static let statuses: [(StaticString, StaticString)] = [
        ("internalserverexception", "500"), ("modelstreamerrorexception", "424"),
        ("modelerrorexception", "424"), ("serviceunavailableexception", "503"),
        ("throttlingexception", "429"), ("modelnotreadyexception", "429"), ("validationexception", "400"),
        ("servicequotaexceededexception", "400"), ("modeltimeoutexception", "408"),
        ("accessdeniedexception", "403"), ("resourcenotfoundexception", "404"),
    ]

    static func read(_ message: AWSEventMessage) -> UpstreamError {
        if bytesEqual(message.type, "error") {
            return error(text(message.errorCode), text(message.errorMessage))
        }
        let payload = try? JSONNode.read(message.payload)
        return error(text(message.exception), payload?["message"]?.text ?? payload?["Message"]?.text ?? "")
    }

    /// The model's output could not be made into an answer; Bedrock gives 424 for what a model does wrong.
    static func malformed(_ reason: String) -> UpstreamError {
        UpstreamError(type: reason, code: "424", message: "the model's output was malformed")
    }

    private static func error(_ type: String, _ message: String) -> UpstreamError {
        let named = UpstreamError(type: type)
        let status = statuses.first { named.has($0.0) }.map { "\($0.1)" }
        // By way of an envelope, so that the texts are bounded and cleaned like those of every other error.
        let envelope = JSONNode.object([
            "type": type.isEmpty ? nil : .string(type), "code": status.map { .string($0) },
            "message": message.isEmpty ? nil : .string(message),
        ])
        return envelope.bytes.withUnsafeBytes { UpstreamError.read($0) }
    }

    private static func text(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes, as: UTF8.self)
    }
}
