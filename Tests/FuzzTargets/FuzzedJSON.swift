import Dialects
import Foundation

enum FuzzedJSON {
    static let seeds = [
        #"{"model":"a","messages":[{"role":"user","content":"hi é 😀"}],"n":1.5e-3,"stream":true}"#,
        #"[[],{},null,true,false,0,-0,1e5,"",""]"#, #"{"a":{"b":{"c":[1,[2,[3]]]}}}"#,
        "  \"\\\\ \\\" \\/ \\b\\f\\n\\r\\t\"  ",
    ].map { Array($0.utf8) }

    /// The scanner and the tree agree, the tree comes back from its own text, and nothing is taken that Foundation's
    /// reader refuses: two readers who understand a body differently are how a call is authorised as one and sent as
    /// another.
    static func run(_ bytes: UnsafeRawBufferPointer) {
        let scanned = (try? JSONScanner.validate(bytes)) != nil
        let node = try? JSONNode.read(bytes)
        must(scanned || node == nil, "the tree takes what the scanner refuses")
        guard let node else { return }
        let text = node.bytes
        let again = text.withUnsafeBytes { try? JSONNode.read($0) }
        must(again == node, "the tree is another after writing")
        // Foundation wants numbers that it can hold; the tree keeps their digits.
        guard !node.hasGreatNumber else { return }
        let other = try? JSONSerialization.jsonObject(with: Data(text), options: .fragmentsAllowed)
        must(other != nil, "Foundation does not read what the tree wrote")
    }
}

extension JSONNode {
    fileprivate var hasGreatNumber: Bool {
        switch self {
        case .number(let digits):
            digits.utf8.count > 15 || digits.utf8.contains { $0 | 0x20 == UInt8(ascii: "e") }
        case .array(let nodes): nodes.contains(where: \.hasGreatNumber)
        case .object(let members): members.contains(where: \.value.hasGreatNumber)
        default: false
        }
    }
}
