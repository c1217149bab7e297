/// Why a provider's definition cannot be used: one sentence that says what is wrong, where, and what to do.
package struct ProviderRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    package let sentence: String

    package init(_ sentence: String) { self.sentence = sentence }

    package var description: String { sentence }
}
