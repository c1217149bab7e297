import Foundation
import TestKit
import TestTraits
import Testing

/// A megabyte, or ten kilobytes, that would open to more than a gigabyte: from a caller and from a provider, in every
/// format. The engine's memory says that nobody opened it.
@Suite(.serialized, .ownThread) struct BombTests {
    private static let members = 1_200
    /// MiB that the whole test may add to the highest the engine's memory ever was; opened, each bomb has 1,200.
    private static let most = 96
    private static let paths = ["/v1/chat/completions", "/v1/responses", "/v1/messages", "/v1/embeddings"]

    @Test func `a request body that is packed is refused unopened, and so is one that does not say so`()
        throws
    {
        let house = try House()
        let token = try house.tenant("acme")
        try house.start()
        let bomb = try Self.bomb(in: house.folder.path)
        let small = try Self.packed(bomb, in: house.folder.path)
        #expect(bomb.count < 2 << 20 && small.count < 32 << 10, "\(bomb.count) and \(small.count) bytes")
        try expectNoMemory(house, token) {
            for path in Self.paths + ["/v1/messages/count_tokens"] {
                for (coding, body) in [
                    ("gzip", bomb), ("gzip, gzip", small), ("deflate", bomb), ("br", bomb), ("zstd", small),
                ] {
                    let answer = try send(body, coding, to: path, house, token)
                    #expect(answer?.status == 415, "\(path) \(coding)")
                    #expect(answer?.body.contains("without content-encoding") ?? false, "\(path) \(coding)")
                }
                for body in [bomb, small] {
                    #expect(try send(body, nil, to: path, house, token)?.status == 400, "\(path)")
                }
            }
            #expect(try house.requests().isEmpty)
        }
    }

    @Test func `a provider's packed answer is refused unopened, in every format and translation`() throws {
        let house = try House()
        try house.configure(
            """
            [[provider]]
            name = "gemini"
            base_url = "http://127.0.0.1:\(house.providerPort)/v1beta"
            [[provider]]
            name = "bedrock"
            kind = "bedrock"
            region = "us-east-1"
            base_url = "http://127.0.0.1:\(house.providerPort)"
            """)
        let token = try house.tenant("acme")
        for provider in ["gemini", "bedrock"] {
            try house.command(
                ["key", "add", "acme", provider, "--from-stdin", "--accept-unverified"],
                input: House.openAIKey)
        }
        try house.start()
        try expectNoMemory(house, token) {
            for provider in ["openai", "anthropic", "gemini", "bedrock"] {
                for form in ["gzip", "nested", "deflate", "br", "gzip-error"] {
                    // Embeddings go to two of them.
                    for path in Self.paths
                    where !path.hasSuffix("embeddings") || ["openai", "gemini"].contains(provider) {
                        for stream in [false, true] {
                            guard let body = Self.body(path, "\(provider)/packed-\(form)", stream) else {
                                continue
                            }
                            let place = "\(path) \(provider) \(form) \(stream)"
                            let answer = try house.call(path, token: token, body: body)
                            try judge(answer, isError: form == "gzip-error", place)
                        }
                    }
                }
            }
            #expect(try house.requests().count > 100)
        }
    }

    private func judge(
        _ answer: (status: Int, head: String, body: String), isError: Bool, _ place: String
    ) throws {
        #expect(!answer.head.contains("content-encoding"), "\(place)")
        #expect(
            isError ? (400..<600).contains(answer.status) : [502, 503].contains(answer.status), "\(place)")
        let error = try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
        #expect(error?["error"] != nil, "\(place): \(answer.body)")
    }

    /// nil where the endpoint has no streams.
    private static func body(_ path: String, _ model: String, _ stream: Bool) -> String? {
        let more = stream ? #","stream":true"# : ""
        return switch path {
        case "/v1/embeddings": stream ? nil : #"{"model":"\#(model)","input":"hello"}"#
        case "/v1/responses": #"{"model":"\#(model)","input":"hello"\#(more)}"#
        default:
            #"{"model":"\#(model)","max_tokens":50,"messages":[{"role":"user","content":"hello"}]\#(more)}"#
        }
    }

    private func send(
        _ body: [UInt8], _ coding: String?, to path: String, _ house: House, _ token: String
    ) throws -> Answer? {
        let wire = try Wire(house.port)
        let said = coding.map { "content-encoding: \($0)\r\n" } ?? ""
        wire.send(
            "POST \(path) HTTP/1.1\r\nhost: gatehouse\r\nauthorization: Bearer \(token)\r\n\(said)"
                + "content-type: application/json\r\ncontent-length: \(body.count)\r\n\r\n")
        wire.send(body)
        return wire.answer()
    }

    // MARK: Memory

    private func expectNoMemory(_ house: House, _ token: String, _ body: () throws -> Void) throws {
        for _ in 0..<3 {
            #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol")).status == 200)
        }
        try FileManager.default.removeItem(atPath: house.record)
        let before = try peak(house)
        try body()
        let after = try peak(house)
        print("bombs: \(before) MiB resident at most before, \(after) MiB after")
        #expect(after - before < Self.most, "\(before) MiB before, \(after) MiB after")
        #expect(try house.call(token: token, body: House.chat("openai/gpt-6-sol", "after")).status == 200)
    }

    /// The most that was ever resident, in MiB (proc(5), `VmHWM`).
    private func peak(_ house: House) throws -> Int {
        let engine = try #require(house.engine)
        let status = try String(contentsOfFile: "/proc/\(engine.pid)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
        return try #require(Int(line.filter(\.isNumber))) / 1_024
    }

    // MARK: The bomb

    /// Several members are one gzip file (RFC 1952 section 2.2).
    private static func bomb(in folder: String) throws -> [UInt8] {
        let one = try packed([UInt8](repeating: 0, count: 1 << 20), in: folder)
        // It is what it is said to be.
        try Data(one).write(to: URL(fileURLWithPath: folder + "/one.gz"))
        let opened = try Tool.run("/bin/sh", ["-c", "gzip -dc \"$0\" | wc -c", folder + "/one.gz"]).out
        #expect(opened.trimmingCharacters(in: .whitespacesAndNewlines) == "1048576")
        return Array(repeatElement(one, count: members).joined())
    }

    private static func packed(_ bytes: [UInt8], in folder: String) throws -> [UInt8] {
        let path = folder + "/plain"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        try Tool.run("/bin/gzip", ["-9", "-f", "-n", path])
        return Array(try Data(contentsOf: URL(fileURLWithPath: path + ".gz")))
    }
}
