import Foundation
import FuzzTargets

/// libFuzzer's way in (LLVM, "libFuzzer", "Fuzz Target"); which reader is fed is told by `GATEHOUSE_FUZZ`, because
/// libFuzzer owns the arguments.
@_cdecl("LLVMFuzzerTestOneInput")
package func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen.run(UnsafeRawBufferPointer(start: start, count: count))
    return 0
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

#if !FUZZING
    /// Built without libFuzzer it writes the seeds of every reader into a folder, one folder a reader.
    @main
    enum Seeds {
        static func main() {
            guard let folder = CommandLine.arguments.dropFirst().first else {
                let usage =
                    "usage: GatehouseFuzz FOLDER\nWrites the seeds there; Tests/GatehouseFuzz/run fuzzes.\n"
                FileHandle.standardError.write(Data(usage.utf8))
                exit(2)
            }
            mkdir(folder, 0o755)
            for target in FuzzTarget.allCases {
                mkdir("\(folder)/\(target.rawValue)", 0o755)
                for (number, seed) in target.seeds.enumerated() {
                    write(seed, "\(folder)/\(target.rawValue)/\(number)")
                }
            }
        }

        private static func write(_ bytes: [UInt8], _ path: String) {
            guard let file = fopen(path, "w") else {
                perror(path)
                exit(1)
            }
            fwrite(bytes, 1, bytes.count, file)
            fclose(file)
        }
    }
#endif
