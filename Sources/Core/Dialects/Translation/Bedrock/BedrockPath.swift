/// Where a model of Amazon Bedrock is called: the model stands in the path, so it must not be able to break out of it.
///
/// Ids and ARNs hold `:` and `/`. Everything but the unreserved characters of RFC 3986 section 2.3 is percent-encoded
/// as the AWS SDKs do. Signature Version 4 encodes the path once more for its canonical form (AWS IAM User Guide,
/// "Create a signed AWS API request": each segment twice, but for Amazon S3).
public struct BedrockPath: Hashable, Sendable {
    /// What is asked of the model.
    public enum Operation: String, Sendable, CaseIterable {
        case converse
        case converseStream = "converse-stream"
        case countTokens = "count-tokens"
    }

    /// The path as it goes into the request's first line.
    public let path: String
    /// The path as it goes into the canonical request of Signature Version 4.
    public let canonicalPath: String

    /// The longest `modelId` (API reference, "Converse").
    static var modelBytesMost: Int { 2_048 }

    /// nil for a model that no path can name: an empty or too long text, and `.` and `..`, which are steps in a path.
    public init?(_ operation: Operation, model: String) {
        guard (1...Self.modelBytesMost).contains(model.utf8.count),
            !model.utf8.elementsEqual(".".utf8), !model.utf8.elementsEqual("..".utf8)
        else { return nil }
        path = "/model/\(Self.encoded(model, keepsSlash: false))/\(operation.rawValue)"
        canonicalPath = Self.canonical(path)
    }

    /// The canonical form of any path that is encoded already, such as one behind a base address of its own.
    public static func canonical(_ path: String) -> String { encoded(path, keepsSlash: true) }

    private static func encoded(_ text: String, keepsSlash: Bool) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var out: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
                UInt8(ascii: "_"), UInt8(ascii: "~"):
                out.append(byte)
            case UInt8(ascii: "/") where keepsSlash: out.append(byte)
            default: out += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
