import Domain
import Storage
import Testing

@Suite struct AuditChainTests {
    private func draft(_ number: UInt64, reason: String = "because") -> AuditDraft {
        AuditDraft(
            id: .init(high: 1, low: number), at: .init(milliseconds: 1_000 + Int64(number)), actor: "ana",
            via: "console", action: "breaker.trip", target: "openai/gpt", tenant: .init(high: 2, low: 3),
            before: "closed", after: "OPEN", reason: reason)
    }

    private func chain(_ count: UInt64) -> [AuditRecord] {
        (1...count).reduce(into: []) {
            $0.append(AuditChain.record(of: draft($1), after: $0.last, hashing: referenceSHA256))
        }
    }

    private func verify(_ records: [AuditRecord]) -> AuditVerification {
        AuditWalk.verify(records, hashing: referenceSHA256)
    }

    @Test func `the reference hash gives the standard's own example`() {
        let digest = Array("abc".utf8).withUnsafeBytes(referenceSHA256)
        #expect(
            hexadecimalText(of: digest.bytes)
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    }

    @Test func `the older form is the documented bytes`() {
        let form = AuditChain.canonicalForm(
            of: AuditDraft(
                id: .init(high: 0x0102_0304_0506_0708, low: 9), at: .init(milliseconds: 258), actor: "a",
                via: "",
                action: "é", target: "t", tenant: nil, before: "", after: "x", reason: "", result: "ok"),
            sequence: 7, previous: [UInt8](repeating: 0xaa, count: 32))
        let head = [UInt8](repeating: 0xaa, count: 32) + [1, 0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 1, 2]
        let id: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0, 0, 0, 0, 9]
        let texts: [UInt8] =
            [0, 0, 0, 1, 0x61] + [0, 0, 0, 0] + [0, 0, 0, 2, 0xc3, 0xa9] + [0, 0, 0, 1, 0x74] + [0, 0, 0, 0]
            + [0, 0, 0, 1, 0x78] + [0, 0, 0, 0] + [0, 0, 0, 2, 0x6f, 0x6b]
        #expect(form == head + id + [0] + texts)
    }

    @Test func `a record is canonical JSON, and its hash that of a leaf`() {
        let blinding = [UInt8](repeating: 7, count: 32)
        let drafted = AuditDraft(
            id: .init(high: 1, low: 2), at: .init(milliseconds: 1_764_311_791_123), actor: "ana",
            via: "console",
            action: "breaker.trip", target: "openai/gpt", tenant: .init(high: 2, low: 3), before: "closed",
            after: "OPEN", reason: "\"slow\"\n\u{1}é",
            origin: OperatorOrigin(session: "0a1b2c3d", tty: "pts/4", uid: "1000", from: "10.2.0.9"))
        let record = AuditChain.record(
            of: drafted, after: nil, blinding: blinding, hashing: referenceSHA256)
        #expect(
            String(decoding: AuditChain.operatorJSON(of: drafted).bytes, as: UTF8.self)
                == #"{"actor":"ana","from":"10.2.0.9","session":"0a1b2c3d","tty":"pts/4","uid":"1000"}"#)
        let json = AuditChain.canonicalJSON(
            of: drafted, sequence: 1, previous: AuditChain.origin, commitment: record.commitment)
        #expect(
            String(decoding: json.bytes, as: UTF8.self)
                == #"{"action":"breaker.trip","after":"OPEN","at":"1764311791123","before":"closed","format":"2","#
                + #""id":"00000000-0000-0001-0000-000000000002","operator":"\#(hexadecimalText(of: record.commitment))","#
                + #""previous":"\#(String(repeating: "0", count: 64))","reason":"\"slow\"\n\u0001é","result":"ok","#
                + #""sequence":"1","target":"openai/gpt","tenant":"00000000-0000-0002-0000-000000000003","#
                + #""via":"console"}"#)
        // Both figures come from Python's hashlib and json.
        #expect(
            hexadecimalText(of: record.commitment)
                == "ddb885942ac1ec31a369b5b432a0b9d59ba16c2172169e8f1541f9768e8d664e")
        #expect(
            hexadecimalText(of: record.hash)
                == "d569b34b4c16ab41c8239e798168f27eb9faef568aabcbda8c6c5c11280677c7")
    }

    @Test func `a record of the older form has the hash that it had`() {
        let hash = AuditChain.hash(
            of: AuditRecord(
                sequence: 1, draft: draft(1), previous: AuditChain.origin, hash: []),
            hashing: referenceSHA256)
        let second = AuditChain.hash(
            of: AuditRecord(sequence: 2, draft: draft(2), previous: hash, hash: []), hashing: referenceSHA256)
        #expect(
            hexadecimalText(of: second) == "276aefe395dfe6ac518bded52973b9398392d68bff11a373ed676268e4dd1766")
    }

    @Test
    func `an operator's facts can be erased but not changed, and give nothing away without the blinding`() {
        let good = chain(3)
        func with(actor: String, blinding: [UInt8]) -> AuditVerification {
            var records = good
            let old = good[1]
            records[1] = AuditRecord(
                sequence: 2,
                draft: AuditDraft(
                    id: old.draft.id, at: old.draft.at, actor: actor, via: old.draft.via,
                    action: old.draft.action, target: old.draft.target, tenant: old.draft.tenant,
                    before: old.draft.before, after: old.draft.after, reason: old.draft.reason),
                previous: old.previous, hash: old.hash, form: .json, commitment: old.commitment,
                blinding: blinding)
            return verify(records)
        }
        let finding = AuditVerification.broken(at: 2, what: "who did it was changed")
        #expect(with(actor: "", blinding: []) == .intact(records: 3, head: good[2].hash))
        #expect(with(actor: "bob", blinding: good[1].blinding) == finding)
        #expect(with(actor: "ana", blinding: []) == finding)
        #expect(with(actor: "ana", blinding: Array(good[1].blinding.dropLast())) == finding)
        #expect(good[0].commitment != good[1].commitment)
    }

    @Test func `a clock that goes back is told, and breaks nothing`() {
        var records: [AuditRecord] = []
        for at in [5, 9, 3, 4, 10] as [Int64] {
            records.append(
                AuditChain.record(
                    of: AuditDraft(
                        at: .init(milliseconds: at), actor: "", via: "", action: "", target: ""),
                    after: records.last, hashing: referenceSHA256))
        }
        var walk = AuditWalk(hashing: referenceSHA256)
        for record in records { walk.take(record) }
        #expect(walk.verdict == .intact(records: 5, head: records[4].hash))
        #expect(walk.clockJumps.map(\.sequence) == [3] && walk.clockJumpCount == 1)
        #expect(
            walk.clockJumps.map(\.from.milliseconds) == [9] && walk.clockJumps.map(\.to.milliseconds) == [3])
    }

    @Test func `moving a byte from one text to the next changes the form`() {
        func form(_ actor: String, _ via: String) -> [UInt8] {
            AuditChain.canonicalForm(
                of: AuditDraft(
                    id: .init(high: 0, low: 1), at: .init(milliseconds: 0), actor: actor, via: via,
                    action: "",
                    target: ""), sequence: 1, previous: AuditChain.origin)
        }
        #expect(form("ab", "c") != form("a", "bc"))
        // Equal to Swift's string comparison, different as bytes.
        #expect(form("caf\u{e9}", "") != form("cafe\u{301}", ""))
    }

    @Test func `an untouched chain is intact and names its head`() {
        let records = chain(20)
        #expect(verify(records) == .intact(records: 20, head: records[19].hash))
        #expect(verify([]) == .intact(records: 0, head: AuditChain.origin))
    }

    @Test func `a changed record is found whichever field was changed`() {
        let good = chain(5)
        let old = good[2]
        func changed(
            actor: String = "ana", after: String = "OPEN", at: Int64 = 1_003,
            tenant: TenantID? = .init(high: 2, low: 3)
        ) -> AuditVerification {
            var records = good
            let forged = AuditDraft(
                id: old.draft.id, at: .init(milliseconds: at), actor: actor, via: "console",
                action: "breaker.trip", target: "openai/gpt", tenant: tenant, before: "closed", after: after,
                reason: "because")
            records[2] = AuditRecord(
                sequence: 3, draft: forged, previous: old.previous, hash: old.hash, form: old.form,
                commitment: old.commitment, blinding: old.blinding)
            return verify(records)
        }
        #expect(changed() == .intact(records: 5, head: good[4].hash))
        let finding = AuditVerification.broken(at: 3, what: "the record was changed")
        #expect(changed(actor: "bob") == .broken(at: 3, what: "who did it was changed"))
        #expect(changed(after: "closed") == finding)
        #expect(changed(at: 1_004) == finding)
        #expect(changed(tenant: nil) == finding)
    }

    @Test func `a record that was forged with its hash is found at the next one`() {
        var records = chain(5)
        records[2] = AuditChain.record(
            of: draft(3, reason: "another"), after: records[1], hashing: referenceSHA256)
        #expect(verify(records) == .broken(at: 4, what: "the record does not follow from the one before"))
    }

    @Test func `missing, doubled and swapped records and a wrong start are found`() {
        let good = chain(6)
        var missing = good
        missing.remove(at: 3)
        #expect(verify(missing) == .broken(at: 4, what: "the record is missing"))
        missing.remove(at: 3)
        #expect(verify(missing) == .broken(at: 4, what: "records up to 5 are missing"))
        var doubled = good
        doubled.insert(good[2], at: 3)
        #expect(verify(doubled) == .broken(at: 3, what: "the record is there twice or out of order"))
        var swapped = good
        swapped.swapAt(2, 3)
        #expect(verify(swapped) == .broken(at: 3, what: "the record is missing"))
        #expect(verify(Array(good.dropFirst())) == .broken(at: 1, what: "the record is missing"))
    }

    @Test func `two records that exchanged contents under their numbers are found`() {
        var records = chain(4)
        let (second, third) = (records[1], records[2])
        records[1] = AuditRecord(
            sequence: 2, draft: third.draft, previous: third.previous, hash: third.hash, form: .json,
            commitment: third.commitment, blinding: third.blinding)
        records[2] = AuditRecord(
            sequence: 3, draft: second.draft, previous: second.previous, hash: second.hash, form: .json,
            commitment: second.commitment, blinding: second.blinding)
        #expect(verify(records) == .broken(at: 2, what: "the record was changed"))
    }

    @Test func `a chain cut at its end looks whole without a head noted elsewhere`() {
        let records = chain(6)
        #expect(verify(Array(records.prefix(4))) == .intact(records: 4, head: records[3].hash))
    }

    @Test func `texts are made storable before they are hashed`() {
        let long = String(repeating: "é", count: 5_000)
        let stored = AuditChain.storable(draft(1, reason: "a\0b"))
        #expect(stored.reason == "a\u{fffd}b")
        let cut = AuditChain.storable(draft(1, reason: long)).reason
        #expect(cut.utf8.count <= AuditChain.longestText)
        #expect(cut.hasSuffix("é…"))
        let kept = String(repeating: "x", count: AuditChain.longestText)
        #expect(AuditChain.storable(draft(1, reason: kept)).reason == kept)
    }
}
