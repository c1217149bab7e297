import Domain
import Foundation
import Glibc
import NIOCore
import NIOSSL
import Testing

@testable import Providers

@Suite struct UpstreamTLSTests {
    /// A self-signed certificate for one name, made now.
    private struct Certificate {
        let file: String
        let server: NIOSSLContext

        init(name: String, oldest: TLSVersion = .tlsv12, newest: TLSVersion? = nil) throws {
            let folder = FileManager.default.temporaryDirectory.appending(path: "providers-\(UUID())")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            let keyFile = folder.appending(path: "key.pem").path
            file = folder.appending(path: "certificate.pem").path
            try Self.run(
                "/usr/bin/openssl",
                "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=test"
                    .split(separator: " ").map(String.init)
                    + ["-addext", "subjectAltName=\(name)", "-keyout", keyFile, "-out", file])
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: try NIOSSLCertificate.fromPEMFile(file).map { .certificate($0) },
                privateKey: .privateKey(try NIOSSLPrivateKey(file: keyFile, format: .pem)))
            configuration.minimumTLSVersion = oldest
            configuration.maximumTLSVersion = newest
            server = try NIOSSLContext(configuration: configuration)
        }

        /// Runs a program to its end; Foundation's `Process` crashes when files open and close beside it.
        private static func run(_ path: String, _ arguments: [String]) throws {
            var words = ([path] + arguments).map { strdup($0) } + [nil]
            defer { for word in words { free(word) } }
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            defer { posix_spawn_file_actions_destroy(&actions) }
            posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0)
            var pid: pid_t = 0
            var status: Int32 = 0
            try #require(posix_spawn(&pid, path, &actions, nil, &words, environ) == 0)
            try #require(waitpid(pid, &status, 0) == pid && status == 0)
        }
    }

    private func outcome(
        of certificate: Certificate, trusting trust: UpstreamTLS.TrustRoots, host: String
    ) async throws -> (Outcome, UpstreamPool.Counts, Int) {
        let seen = NIOLockedCounter()
        let upstream = try await ScriptedUpstream.start(tls: certificate.server) { request in
            _ = seen.next()
            return [.send(counted("\(request.connection)"))]
        }
        let caller = try await Caller(tls: UpstreamTLS(trust: trust))
        let endpoint = try UpstreamEndpoint(
            definition(port: upstream.port, secure: true, host: host), dialect: .openAIChat)
        _ = try await caller.send(endpoint)
        let second = try await caller.send(endpoint)
        try await upstream.stop()
        return (second, try await caller.counts(), seen.next() - 1)
    }

    @Test(arguments: [("DNS:localhost", "localhost"), ("IP:127.0.0.1", "127.0.0.1")])
    func `a trusted certificate for the host is accepted, and its connection used again`(
        name: String, host: String
    ) async throws {
        let certificate = try Certificate(name: name)
        let (second, counts, _) = try await outcome(
            of: certificate, trusting: .file(certificate.file), host: host)
        #expect(second.failure == nil && second.body == "1")
        #expect(counts.reused == 1 && counts.copiesLeft == 0)
    }

    @Test func `a certificate nobody vouches for ends the handshake, before any byte of a request`()
        async throws
    {
        let (second, counts, requests) = try await outcome(
            of: Certificate(name: "DNS:localhost"), trusting: .system, host: "localhost")
        #expect(second.failure == .tls && second.endings == 1)
        #expect(requests == 0 && counts.open == 0)
    }

    @Test func `a certificate for another host ends the handshake`() async throws {
        let certificate = try Certificate(name: "DNS:elsewhere.test")
        let (second, _, requests) = try await outcome(
            of: certificate, trusting: .file(certificate.file), host: "localhost")
        #expect(second.failure == .tls && requests == 0)
    }

    @Test func `TLS 1.1 is refused`() async throws {
        let certificate = try Certificate(name: "DNS:localhost", oldest: .tlsv1, newest: .tlsv11)
        let (second, _, requests) = try await outcome(
            of: certificate, trusting: .file(certificate.file), host: "localhost")
        #expect(second.failure == .tls && requests == 0)
    }

    @Test func `a server that does not speak TLS is a TLS failure`() async throws {
        let upstream = try await ScriptedUpstream.start { _ in [.send("HTTP/1.1 400 Bad\r\n\r\n"), .close] }
        let listener = try definition(port: upstream.port, secure: true, host: "localhost")
        // The scripted provider answers after a blank line, which a client hello need not hold; a bound ends it then.
        let outcome = try await Caller().send(
            UpstreamEndpoint(listener, dialect: .openAIChat),
            timeouts: UpstreamTimeouts(connect: .milliseconds(100)))
        #expect(outcome.failure == .tls || outcome.failure == .timeout(.connect))
        try await upstream.stop()
    }

    @Test func `a trust file that is missing is refused with a sentence`() {
        #expect(throws: ProviderRefusal.self) { try UpstreamTLS(trust: .file("/nowhere.pem")) }
    }
}
