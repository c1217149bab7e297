import Domain
import Testing

@testable import Gateway

@Suite struct HeadWriterTests {
    private func written(_ write: (inout HeadWriter) -> Void) -> String {
        var room = [UInt8](repeating: 0, count: 128)
        let count = room.withUnsafeMutableBytes { bytes in
            var writer = HeadWriter(bytes)
            write(&writer)
            return writer.count
        }
        return String(decoding: room[..<count], as: UTF8.self)
    }

    @Test func `numbers are written as Swift writes them, about every power of ten`() {
        var numbers: [Int64] = [.min, .min + 1, .max, .max - 1]
        var power: Int64 = 1
        for _ in 0..<19 {
            numbers += [power - 1, power, power + 1, -power]
            power = power.multipliedReportingOverflow(by: 10).partialValue
        }
        for number in numbers { #expect(written { $0.write(number) } == "\(number)") }
    }

    @Test func `money is written as it describes itself`() {
        let seed = UInt64.random(in: 0 ... .max)
        var generator = SplitMix(seed: seed)
        for _ in 0..<2_000 {
            let bits = Int64.random(in: 0..<60, using: &generator)
            let money = Money(nanoUSD: Int64(truncatingIfNeeded: generator.next()) >> (63 - bits))
            #expect(written { $0.write(money) } == money.description, "seed \(seed)")
        }
    }

    @Test func `texts and ids are written as they are, and again`() {
        let id = CallID.random()
        let text = written { writer in
            writer.write("a: ")
            let start = writer.count
            writer.write(id)
            writer.write(text: ", é and more than fifteen bytes, ")
            writer.writeAgain(start..<start + CallID.textLength)
        }
        #expect(text == "a: \(id), é and more than fifteen bytes, \(id)")
    }
}
