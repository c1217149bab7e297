import Domain
import Testing

@testable import Providers

@Suite struct AddressRuleTests {
    private func permits(_ address: String, host: String, _ rule: AddressRule = AddressRule()) throws -> Bool
    {
        rule.permits(try #require(IPAddress(address)), for: Origin(secure: true, host: host, port: 443))
    }

    @Test(arguments: [
        "1.1.1.1", "172.32.0.1", "100.128.0.1", "198.20.0.1", "2606:4700::1111", "::ffff:1.1.1.1",
    ])
    func `public addresses are open`(address: String) throws {
        #expect(try permits(address, host: "api.example"))
    }

    @Test(arguments: [
        "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.8.8.8",
        "169.254.169.254",
        "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
        "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "168.63.129.16", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254",
        "ff02::1",
        "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "::ffff:169.254.169.254", "fec0::1",
    ])
    func `addresses inside are closed to public names`(address: String) throws {
        #expect(try !permits(address, host: "api.example"))
    }

    @Test func `a name is let in by its own range only`() throws {
        let rule = AddressRule(allowances: ["vllm.lan": [try AddressRange("10.1.0.0/16")]])
        #expect(try permits("10.1.2.3", host: "vllm.lan", rule))
        #expect(try !permits("10.2.2.3", host: "vllm.lan", rule))
        #expect(try !permits("127.0.0.1", host: "vllm.lan", rule))
        #expect(try !permits("10.1.2.3", host: "other.lan", rule))
    }

    @Test func `metadata and link-local stay closed whatever is allowed`() throws {
        let all = [try AddressRange("0.0.0.0/0"), try AddressRange("::/0")]
        let rule = AddressRule(allowances: ["h.lan": all])
        #expect(try permits("192.168.0.1", host: "h.lan", rule))
        for address in [
            "169.254.169.254", "fe80::1", "fd00:ec2::254", "100.100.100.200", "::ffff:169.254.169.254",
        ] {
            #expect(try !permits(address, host: "h.lan", rule))
        }
    }

    @Test func `this machine by name leads to this machine only`() throws {
        for host in ["localhost", "127.0.0.1", "::1"] {
            #expect(try permits("127.0.0.1", host: host) && permits("::1", host: host))
            #expect(try !permits("1.1.1.1", host: host) && !permits("10.0.0.1", host: host))
        }
    }

    @Test func `no range of the tables was dropped`() { #expect(AddressRule.countsForTests == [2, 5, 23]) }

    @Test(arguments: [
        "", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/", "10.0.0.0/8/8", "10.0/8", "::/129", "x/8",
    ])
    func `a range that is none is refused`(text: String) {
        #expect(throws: ProviderRefusal.self) { try AddressRange(text) }
    }

    @Test func `addresses read and write the same`() throws {
        for text in ["1.2.3.4", "::1", "2001:db8::1", "fd00:ec2::254"] {
            #expect(IPAddress(text)?.text == text)
        }
        #expect(IPAddress("::ffff:1.2.3.4")?.text == "1.2.3.4")
        for text in ["", "1.2.3", "01.2.3.4", "1.2.3.4 ", "0x7f.0.0.1", "1.2.3.256", "fe80::1%eth0", "[::1]"]
        {
            #expect(IPAddress(text) == nil, "\(text)")
        }
    }
}
