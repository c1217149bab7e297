import Assembly
import Domain
import Operations

// What the tests of a disk that fails do again and again: a call, and a change.
extension House {
    /// The answer to a small call; nil where there was none.
    func call(_ token: String) throws -> Answer? {
        let wire = try Wire(port)
        let body = House.chat("openai/gpt-6-sol")
        wire.send(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: gatehouse\r\nauthorization: Bearer \(token)\r\n"
                + "content-type: application/json\r\ncontent-length: \(body.utf8.count)\r\n\r\n\(body)")
        return wire.answer()
    }
}

extension EngineClient {
    /// Puts a limit on the tenant acme; why that was refused, or nil.
    func setLimit(_ requestsPerMinute: Int) -> CommandRefusal? {
        do throws(CommandRefusal) {
            guard let acme = try? TenantName("acme") else { return nil }
            _ = try perform(
                .limitSet(
                    tenant: acme, owner: .tenant, limits: .init(requestsPerMinute: requestsPerMinute)),
                secret: nil)
            return nil
        } catch {
            return error
        }
    }
}
