/// What a drill makes a tenant's calls meet, as if the provider had done it.
public enum DrillFault: String, Sendable, Hashable, Codable, CaseIterable {
    /// The provider answers 429: the key has used up its rate.
    case rateLimited = "429"
    /// The provider answers 529: it has too much to do.
    case overloaded = "529"
    /// The answer's stream ends in the middle.
    case cut
    /// The answer's stream stands still in the middle.
    case stall
    /// The first byte comes late.
    case slow
    /// The provider answers 401: it does not know the key.
    case badKey = "bad-key"

    /// What the calls meet, as the end of a sentence.
    public var sentence: String {
        switch self {
        case .rateLimited: "the provider answers 429, the key's rate is used up"
        case .overloaded: "the provider answers 529, it is overloaded"
        case .cut: "the answer's stream is cut in the middle"
        case .stall: "the answer's stream stands still in the middle"
        case .slow: "the first byte comes late"
        case .badKey: "the provider answers 401, the key is refused"
        }
    }
}
