import Dialects
import Domain
import Testing

@Suite struct MemberNamesTests {
    /// A name, and the bytes that it stands for.
    private func name(using generator: inout SplitMix) -> (written: [UInt8], resolved: [UInt8]) {
        var written: [UInt8] = []
        var resolved: [UInt8] = []
        for _ in 0..<Int.random(in: 1..<20, using: &generator) {
            switch Int.random(in: 0..<200, using: &generator) {
            case 0:
                written += Array("é".utf8)
                resolved += Array("é".utf8)
            case 1:
                written.append(0x7f)
                resolved.append(0x7f)
            case 2:
                written += Array("\\u0007".utf8)
                resolved.append(0x07)
            case 3..<20:
                written += Array("\\u0061".utf8)
                resolved.append(0x61)
            case 20..<30:
                written += Array("\\\"".utf8)
                resolved.append(0x22)
            case 30..<180:
                written.append(0x61)
                resolved.append(0x61)
            default:
                written.append(0x62)
                resolved.append(0x62)
            }
        }
        return (written, resolved)
    }

    @Test
    func `an object is refused for the same name in any spelling, and for bytes that are not printable`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(seed: seed)
        var accepted = 0
        for _ in 0..<3_000 {
            let names = (0..<Int.random(in: 1..<5, using: &generator)).map { _ in name(using: &generator) }
            let members = names.flatMap { Array(",\"".utf8) + $0.written + Array("\":1".utf8) }
            let body = Array(#"{"model":"m""#.utf8) + members + Array("}".utf8)
            let isPrintable = names.allSatisfy { $0.resolved.allSatisfy { (0x20..<0x7f).contains($0) } }
            let expected = isPrintable && Set(names.map(\.resolved)).count == names.count
            let isTaken = body.withUnsafeBytes { (try? RequestFields.scan($0, as: .openAIChat)) != nil }
            #expect(isTaken == expected, "seed \(seed): \(text(body))")
            if expected { accepted += 1 }
        }
        #expect((200..<2_900).contains(accepted))
    }

    @Test func `a count is what its digits say, whatever comes behind`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(seed: seed)
        for _ in 0..<5_000 {
            let digits = (0..<Int.random(in: 1..<23, using: &generator)).map { place in
                String(Int.random(in: place == 0 ? 1...9 : 0...9, using: &generator))
            }.joined()
            let number = Int.random(in: 0..<6, using: &generator) == 0 ? "0" : digits
            let tail = ["", ",", "}", " ", ".5", "e2", "E+1"].randomElement(using: &generator) ?? ""
            let isWhole = tail.utf8.count < 2
            let (count, position) = try lend(number + tail) { (lent) throws(JSONFault) in
                var scanner = JSONScanner(lent)
                return (try scanner.takeCount(), scanner.position)
            }
            #expect(count == (isWhole ? Int64(number) : nil), "seed \(seed): \(number)\(tail)")
            #expect(position == (number + (isWhole ? "" : tail)).utf8.count, "seed \(seed): \(number)\(tail)")
        }
    }

    @Test func `a zero ends its number`() throws {
        let (count, position) = try lend("012") { (lent) throws(JSONFault) in
            var scanner = JSONScanner(lent)
            return (try scanner.takeCount(), scanner.position)
        }
        #expect(count == 0 && position == 1)
    }
}
