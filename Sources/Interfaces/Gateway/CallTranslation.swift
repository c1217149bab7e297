import Dialects
import Domain
import Engine
import NIOCore
import Providers

/// The translation of one attempt: the request in its provider's words, where those are not the caller's own, and the
/// answer in the caller's.
struct CallTranslation {
    /// The provider's format; nil where the bytes go as they are.
    private(set) var format: WireFormat?
    /// What was left out for it.
    private(set) var losses = Losses()
    private var source: Translator.Source?

    /// The body in the provider's words; nil where that is the caller's own.
    mutating func request(
        for attempt: CallSession.Attempt, of call: CallExchange
    ) throws(CallFailure) -> [UInt8]? {
        guard call.dialect.passage(to: attempt.provider.definition.kind) == .translated,
            let format = ProviderList.chatFormat(of: attempt.provider.definition.kind)
        else { return nil }
        let source = try call.understood()
        let target = WireTarget(model: attempt.target.model.text, quirks: attempt.provider.definition.quirks)
        do throws(TranslationRefusal) {
            let request = try Translator.request(source, in: format, for: target)
            self.format = format
            self.source = source
            losses = request.losses.named(in: call.dialect)
            return request.body
        } catch {
            throw error.named(in: call.dialect).failure
        }
    }

    /// A whole answer in the caller's words; nil where the provider's is not what it should be.
    func answer(_ body: ByteBuffer, of call: CallExchange) -> Translator.Answer? {
        guard let format, let source else { return nil }
        return body.withUnsafeReadableBytes {
            Translator.answer($0, from: format, to: call.dialect, of: source, in: call.answerContext)
        }
    }

    /// Why a whole answer is none, where the provider says it there.
    func failure(in body: ByteBuffer) -> UpstreamError? {
        guard let format else { return nil }
        return body.withUnsafeReadableBytes { Translator.failure($0, from: format) }
    }
}
