import Dialects
import Domain
import Testing

@Suite struct BodyEditTests {
    private func edited(
        _ body: String, model: String, ask: Bool, as dialect: Dialect = .openAIChat
    ) throws -> String {
        let name = try ModelName(model)
        var out: [UInt8] = []
        try lend(body) { lent in
            let fields = try RequestFields.scan(lent, as: dialect)
            let edits = BodyEdit.edits(fields: fields, upstreamModel: name, askForUsage: ask)
            BodyEdit.apply(edits, to: lent) { out.append(contentsOf: $0) }
            #expect(out.count == BodyEdit.editedCount(edits, original: lent.count))
        }
        return text(out)
    }

    @Test(arguments: [
        (#"{"model":"a","x":[1, 2]}"#, #"{"model":"b/c","x":[1, 2]}"#),
        (#"{ "model" : "b/c" }"#, #"{ "model" : "b/c" }"#),
        (#"{"model":"b\/c"}"#, #"{"model":"b/c"}"#),
        (#"{"model":"a","stream":false}"#, #"{"model":"b/c","stream":false}"#),
        (
            #"{"model":"a","stream":true}"#,
            #"{"stream_options":{"include_usage":true},"model":"b/c","stream":true}"#
        ),
        (
            #"{ "stream":true,"stream_options":{},"model":"a"}"#,
            #"{ "stream":true,"stream_options":{"include_usage":true},"model":"b/c"}"#
        ),
        (
            #"{"stream_options":{ "y":1 },"model":"a","stream":true}"#,
            #"{"stream_options":{"include_usage":true, "y":1 },"model":"b/c","stream":true}"#
        ),
        (
            #"{"stream_options":{"y":1,"include_usage": false},"model":"a","stream":true}"#,
            #"{"stream_options":{"y":1,"include_usage": true},"model":"b/c","stream":true}"#
        ),
        (
            #"{"stream_options":{"include_usage":null},"model":"a","stream":true}"#,
            #"{"stream_options":{"include_usage":true},"model":"b/c","stream":true}"#
        ),
        (
            #"{"model":"a","stream":true,"stream_options": null}"#,
            #"{"model":"b/c","stream":true,"stream_options": {"include_usage":true}}"#
        ),
        (
            #"{"model":"a","stream":true,"stream_options":{"include_usage":true}}"#,
            #"{"model":"b/c","stream":true,"stream_options":{"include_usage":true}}"#
        ),
    ])
    func `only the model and the wish for usage change`(body: String, expected: String) throws {
        let out = try edited(body, model: "b/c", ask: true)
        #expect(out == expected)
        // What goes up is still acceptable and asks for what was meant.
        let fields = try lend(out) { try RequestFields.scan($0, as: .openAIChat) }
        #expect(fields.model.text == "b/c")
        #expect(!fields.stream || fields.callerAskedForUsage)
    }

    @Test func `usage is not asked for where nobody needs it`() throws {
        let body = #"{"model":"a","stream":true}"#
        #expect(try edited(body, model: "a", ask: false) == body)
        #expect(try edited(body, model: "a", ask: true, as: .anthropicMessages) == body)
        #expect(try edited(body, model: "a", ask: true, as: .openAIEmbeddings) == body)
    }
}
