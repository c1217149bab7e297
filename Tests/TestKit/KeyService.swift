import Foundation

/// A key service on loopback: moto in server mode, see `Scripts/kms.py`.
package final class KeyService {
    private let folder: TemporaryFolder
    private let server: Child
    package let port: Int
    /// The ARN of a key with the alias `alias/gatehouse`, and that of another one.
    package let first: String
    package let second: String
    /// An access key that may use both, and its secret.
    package let accessKey: (id: String, secret: String)

    package init() throws {
        let folder = try TemporaryFolder()
        let said = folder.path + "/said"
        guard let script = Bundle.module.path(forResource: "Scripts/kms", ofType: "py") else {
            throw Tool.Failure(description: "no script kms.py")
        }
        let server = try Child(try TestPython.path, [script], output: said, error: folder.path + "/errors")
        var words: [String] = []
        do {
            try waitUntil("the key service says where it is", seconds: 120) {
                let text = (try? String(contentsOfFile: said, encoding: .utf8)) ?? ""
                guard server.status == nil else {
                    let why = try String(contentsOfFile: folder.path + "/errors", encoding: .utf8)
                    throw Tool.Failure(description: "the key service ended: \(why.suffix(500))")
                }
                words = text.split(whereSeparator: \.isWhitespace).map(String.init)
                return words.count == 5
            }
        } catch {
            server.end(SIGKILL)
            throw error
        }
        self.folder = folder
        self.server = server
        port = Int(words[0]) ?? 0
        (first, second) = (words[1], words[2])
        accessKey = (words[3], words[4])
    }

    deinit { server.end(SIGKILL) }

    package func stop() { server.end(SIGKILL) }
}
