import Foundation
import FuzzTargets

/// libFuzzer's way in (LLVM, "libFuzzer", "Fuzz Target"); which reader is fed is told by `GATEHOUSE_FUZZ`, because
/// libFuzzer owns the arguments.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen.run(UnsafeRawBufferPointer(start: start, count: count))
    return 0
}

/// Before the first input: with `GATEHOUSE_FUZZ_SEEDS` it writes the seeds of every reader into that folder, one folder
/// a reader, and ends.
@_cdecl("LLVMFuzzerInitialize")
package func prepareFuzzing(
    _ count: UnsafeMutablePointer<CInt>?,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> CInt {
    guard let folder = getenv("GATEHOUSE_FUZZ_SEEDS").map({ String(cString: $0) }) else { return 0 }
    for target in FuzzTarget.allCases {
        mkdir("\(folder)/\(target.rawValue)", 0o755)
        for (number, seed) in target.seeds.enumerated() {
            write(seed, "\(folder)/\(target.rawValue)/\(number)")
        }
    }
    exit(0)
}

private let chosen: FuzzTarget = {
    let name = getenv("GATEHOUSE_FUZZ").map { String(cString: $0) } ?? ""
    guard let target = FuzzTarget(rawValue: name) else {
        let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: " ")
        FileHandle.standardError.write(Data("GATEHOUSE_FUZZ names one of: \(names)\n".utf8))
        exit(2)
    }
    return target
}()

private func write(_ bytes: [UInt8], _ path: String) {
    guard let file = fopen(path, "w") else {
        perror(path)
        exit(1)
    }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
}
