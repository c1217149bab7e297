enum GeminiRequestEncoder: RequestEncoder { static func encode(_ c: Conversation, for t: WireTarget, losses: inout Losses) throws(TranslationRefusal) -> JSONNode { .null } }
enum GeminiAnswerDecoder: AnswerDecoder { static func decode(_ a: JSONNode) -> TranslatedAnswer? { nil } }

typealias GeminiStreamDecoder = ChatStreamDecoder
enum GeminiEmbeddings { static func request(_ r: JSONNode, model: String) throws(TranslationRefusal) -> JSONNode { .null }
 static func answer(_ r: JSONNode, to: JSONNode, model: String) -> JSONNode? { nil } }
enum GeminiTokenCount { static func request(_ c: Conversation, for t: WireTarget, losses: inout Losses) throws(TranslationRefusal) -> JSONNode { .null }
 static func answer(_ r: JSONNode) -> Int64? { nil } }
