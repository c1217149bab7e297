import Foundation
import Glibc
import TestKit

/// A proxy under measurement: a process of its own, between the load and the provider.
final class Contestant {
    let name: String
    let port: Int
    /// What its callers show.
    let token: String
    let child: Child
    /// The process whose time counts: nginx serves in a worker beside its master.
    let measured: pid_t

    init(name: String, port: Int, token: String = "none", child: Child, measured: pid_t) {
        self.name = name
        self.port = port
        self.token = token
        self.child = child
        self.measured = measured
    }

    deinit { child.end(SIGTERM) }

    /// CPU time the process has used, user and system, in nanoseconds.
    func cpu() throws -> UInt64 {
        var clock: clockid_t = 0
        var time = timespec()
        guard clock_getcpuclockid(measured, &clock) == 0, clock_gettime(clock, &time) == 0 else {
            throw Tool.Failure(description: "\(name) (process \(measured)) is gone")
        }
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    /// Memory in use, in KiB.
    func resident() throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(measured)/status", encoding: .utf8)
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return Int(line.filter(\.isNumber)) ?? 0
    }

    /// Files and sockets it has open.
    func descriptors() throws -> Int {
        try FileManager.default.contentsOfDirectory(atPath: "/proc/\(measured)/fd").count
    }

    // MARK: nginx

    /// One worker, connections to the provider kept open, nothing logged, answers passed on as they come.
    static func nginx(in folder: TemporaryFolder, provider: Int) throws -> Contestant {
        let port = try freePort()
        let configuration = """
            daemon off; worker_processes 1; pid \(folder.path)/nginx.pid; error_log \(folder.path)/error.log;
            events { worker_connections 1024; }
            http {
                access_log off; keepalive_requests 1000000; client_body_temp_path \(folder.path);
                proxy_temp_path \(folder.path); fastcgi_temp_path \(folder.path);
                uwsgi_temp_path \(folder.path); scgi_temp_path \(folder.path);
                upstream provider {
                    server 127.0.0.1:\(provider); keepalive 64; keepalive_requests 1000000;
                }
                server {
                    listen 127.0.0.1:\(port);
                    location / {
                        proxy_pass http://provider; proxy_http_version 1.1; proxy_buffering off;
                        proxy_set_header Connection "";
                    }
                }
            }
            """
        let file = folder.path + "/nginx.conf"
        try configuration.write(toFile: file, atomically: true, encoding: .utf8)
        let binary = "/usr/sbin/nginx"
        guard FileManager.default.isExecutableFile(atPath: binary) else {
            throw Tool.Failure(description: "no \(binary): apt-get install -y nginx-light")
        }
        let log = folder.path + "/nginx.out"
        let child = try Child(binary, ["-c", file, "-p", folder.path], output: log)
        var worker: pid_t?
        try waitUntil("nginx has a worker") {
            guard child.status == nil else {
                throw Tool.Failure(
                    description: (try? String(contentsOfFile: log, encoding: .utf8)) ?? "nginx ended")
            }
            let file = "/proc/\(child.pid)/task/\(child.pid)/children"
            worker = (try? String(contentsOfFile: file, encoding: .utf8))?
                .split(separator: " ").first.flatMap { pid_t($0) }
            return worker != nil
        }
        return Contestant(name: "nginx", port: port, child: child, measured: worker ?? child.pid)
    }

    /// A port nobody listens on now.
    static func freePort() throws -> Int {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(socket) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
            }
        }
        guard bound else { throw Tool.Failure(description: "no free port") }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    // MARK: gatehouse

    /// `serve` with everything on; its virtual key has limits that are far away but counted.
    ///
    /// - Parameter binary: another build than the one beside the benchmarks.
    static func gatehouse(
        _ name: String = "gatehouse", in folder: TemporaryFolder, provider: Int, binary: String? = nil
    ) throws -> Contestant {
        let house = try GatewayFolder(folder, provider: provider, binary: binary)
        return try gatehouse(
            name, on: house.data, log: folder.path + "/gatehouse.log", token: house.token, binary: binary)
    }

    /// `serve` on a data folder that is there.
    static func gatehouse(
        _ name: String, on data: String, log: String, token: String, binary: String? = nil
    ) throws -> Contestant {
        let child = try Child(binary ?? GatewayFolder.binary(), ["serve", "--data", data], error: log)
        var port = 0
        try waitUntil("gatehouse listens", seconds: 600) {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            guard child.status == nil else { throw Tool.Failure(description: "gatehouse ended: \(text)") }
            guard let mark = text.range(of: "address=127.0.0.1:") else { return false }
            port = Int(text[mark.upperBound...].prefix { $0.isNumber }) ?? 0
            return port > 0
        }
        return Contestant(name: name, port: port, token: token, child: child, measured: child.pid)
    }
}
