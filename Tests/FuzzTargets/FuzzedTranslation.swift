import Dialects
import Domain

/// The first byte chooses the caller's format, the provider's, and whether it is a request, an answer or a stream.
enum FuzzedTranslation {
    private static let dialects: [Dialect] = [.openAIChat, .openAIResponses, .anthropicMessages]
    private static let request =
        #"{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#
    private static let responsesRequest = #"{"model":"m","input":"hi"}"#

    static let seeds: [[UInt8]] = {
        let requests = [
            #"{"model":"m","max_tokens":9,"system":"s","messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"f","input":{}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"x"}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}]}"#,
            #"{"model":"m","messages":[{"role":"user","content":"hi"},{"role":"assistant","tool_calls":[{"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","tool_call_id":"c","content":"1"}],"tools":[{"type":"function","function":{"name":"f","parameters":{}}}],"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{}}}}"#,
            #"{"model":"m","input":[{"role":"user","content":[{"type":"input_text","text":"hi"}]},{"type":"function_call","call_id":"c","name":"f","arguments":"{}"},{"type":"function_call_output","call_id":"c","output":"1"}]}"#,
        ]
        let answers = [
            #"{"id":"c","choices":[{"message":{"role":"assistant","content":"hi","tool_calls":[]},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            #"{"id":"m","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":2}}"#,
            #"{"candidates":[{"content":{"parts":[{"text":"hi"},{"functionCall":{"name":"f","args":{}}}]},"finishReason":"STOP"}]}"#,
            #"{"output":{"message":{"role":"assistant","content":[{"text":"hi"}]}},"stopReason":"end_turn"}"#,
        ]
        let streams =
            answers.map { "data: \($0)\n\n" } + [
                "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n"
            ]
        return zip([requests, answers, streams], 0...).flatMap { texts, kind in
            texts.enumerated().map { [UInt8(kind * 16 + $0.offset)] + Array($0.element.utf8) }
        }
    }()

    static func run(_ input: UnsafeRawBufferPointer) {
        guard let choice = input.first.map({ Int($0) }) else { return }
        let bytes = UnsafeRawBufferPointer(rebasing: input.dropFirst())
        let dialect = dialects[choice % dialects.count]
        let format = WireFormat.allCases[choice % 16 % WireFormat.allCases.count]
        switch choice / 16 % 3 {
        case 0: for dialect in dialects { request(bytes, dialect) }
        case 1: for dialect in dialects { answer(bytes, format, dialect) }
        default: stream(bytes, format, dialect)
        }
    }

    private static func request(_ bytes: UnsafeRawBufferPointer, _ dialect: Dialect) {
        do throws(CallFailure) {
            let source = try Translator.read(bytes, as: dialect)
            for format in WireFormat.allCases {
                do throws(TranslationRefusal) {
                    let request = try Translator.request(source, in: format, for: WireTarget(model: "m"))
                    must(isJSON(request.body), "a request that is no JSON")
                    must(request.losses.fields.count <= Losses.most, "too many losses")
                } catch {
                    must(!error.field.isEmpty && !error.problem.isEmpty, "a refusal that names nothing")
                }
            }
        } catch {
            must(error.status >= 400 && error.status < 500, "a caller's fault is told as another's")
        }
    }

    private static func answer(_ bytes: UnsafeRawBufferPointer, _ format: WireFormat, _ dialect: Dialect) {
        let asked = Array((dialect == .openAIResponses ? responsesRequest : request).utf8)
        guard let source = asked.withUnsafeBytes({ try? Translator.read($0, as: dialect) }) else { return }
        _ = Translator.failure(bytes, from: format)
        guard let answer = Translator.answer(bytes, from: format, to: dialect, of: source, in: context)
        else { return }
        must(isJSON(answer.body), "an answer that is no JSON")
    }

    private static func stream(_ bytes: UnsafeRawBufferPointer, _ format: WireFormat, _ dialect: Dialect) {
        let middle = bytes.count / 2
        let whole = said([bytes[...]], format, dialect)
        let cut = said([bytes[..<middle], bytes[middle...]], format, dialect)
        must(whole.failed == cut.failed, "a fault depends on the chunks")
        guard !whole.failed else { return }
        must(whole.text == cut.text, "what is said depends on the chunks")
    }

    private static func said(
        _ chunks: [Slice<UnsafeRawBufferPointer>], _ format: WireFormat, _ dialect: Dialect
    ) -> (text: [UInt8], failed: Bool) {
        var stream = Translator.stream(from: format, to: dialect, in: context)
        var text: [UInt8] = []
        do throws(StreamFault) {
            for chunk in chunks { try stream.read(UnsafeRawBufferPointer(rebasing: chunk), into: &text) }
        } catch {
            return (text, true)
        }
        stream.finish(into: &text)
        return (text, false)
    }

    private static let context = AnswerContext(
        id: "0123456789abcdef", model: "m", created: WallTime(milliseconds: 1_800_000_000_000))

    private static func isJSON(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBytes { (try? JSONNode.read($0)) != nil }
    }
}
