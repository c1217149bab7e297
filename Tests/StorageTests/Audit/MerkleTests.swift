import Domain
import Foundation
import Storage
import Testing

/// The tree against published vectors, and against its own definition.
@Suite struct MerkleTests {
    private struct Vectors: Decodable {
        struct Inclusion: Decodable {
            let name: String
            let leafIdx, treeSize: UInt64
            let root, leafHash: Data?
            let proof: [Data]?
            let wantErr: Bool
        }
        struct Consistency: Decodable {
            let name: String
            let size1, size2: UInt64
            let root1, root2: Data?
            let proof: [Data]?
            let wantErr: Bool
        }
        let inclusion: [Inclusion]
        let consistency: [Consistency]

        static func load() throws -> Self {
            let file = try #require(
                Bundle.module.url(forResource: "Fixtures/merkle-proofs", withExtension: "json"))
            return try JSONDecoder().decode(Self.self, from: Data(contentsOf: file))
        }
    }

    private func digest(_ data: Data?) -> Digest256? { data.flatMap { Digest256(bytes: $0) } }

    private func digests(_ proof: [Data]?) -> [Digest256]? {
        let steps = (proof ?? []).map { Digest256(bytes: $0) }
        return steps.contains(nil) ? nil : steps.compactMap { $0 }
    }

    @Test func `published inclusion proofs are accepted and refused as they should be`() throws {
        let vectors = try Vectors.load().inclusion
        #expect(vectors.count == 98)
        for vector in vectors {
            var accepted = false
            // What is no hash, or no number of a record, cannot even be asked about.
            if let root = digest(vector.root), let leaf = digest(vector.leafHash),
                let proof = digests(vector.proof)
            {
                accepted = MerkleProof.includes(
                    leaf: leaf, at: Int64(clamping: vector.leafIdx), size: Int64(clamping: vector.treeSize),
                    root: root, proof: proof, hashing: referenceSHA256)
            }
            #expect(accepted == !vector.wantErr, "\(vector.name)")
        }
    }

    @Test func `published consistency proofs are accepted and refused as they should be`() throws {
        let vectors = try Vectors.load().consistency
        #expect(vectors.count == 98)
        for vector in vectors {
            var accepted = false
            if let old = digest(vector.root1), let new = digest(vector.root2),
                let proof = digests(vector.proof)
            {
                accepted = MerkleProof.extends(
                    oldSize: Int64(clamping: vector.size1), oldRoot: old,
                    newSize: Int64(clamping: vector.size2), newRoot: new, proof: proof,
                    hashing: referenceSHA256)
            }
            // That a tree begins with nothing holds always and says nothing: not a proof here. One vector has two
            // roots that are the same, and no hashes.
            let isProof = vector.size1 > 0 && digest(vector.root1) != nil
            #expect(accepted == (!vector.wantErr && isProof), "\(vector.name)")
        }
    }

    /// The eight leaves of Certificate Transparency's own tests, and the roots of their trees.
    @Test func `the roots of the reference trees come out`() {
        let contents: [[UInt8]] = [
            [], [0], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43],
            [0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            (0..<16).map { 0x60 + $0 },
        ]
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ]
        let leaves = contents.map { MerkleHash.leaf($0, hashing: referenceSHA256) }
        let tree = MerkleTree(leaves, hashing: referenceSHA256)
        var frontier = MerkleFrontier()
        for size in 0...8 {
            let root = hexadecimalText(of: frontier.root(hashing: referenceSHA256).bytes)
            #expect(root == roots[size])
            #expect(tree.root(size: size).map { hexadecimalText(of: $0.bytes) } == roots[size])
            if size < 8 { frontier.append(leaves[size], hashing: referenceSHA256) }
        }
        #expect(tree.root(size: 9) == nil)
    }

    /// A quick stand-in for SHA-256 that mixes all bytes: proofs do not depend on which hash it is.
    private static let quick: Hashing = { bytes in
        var words: [UInt64] = [1, 2, 3, 4]
        for (index, byte) in bytes.enumerated() {
            words[index & 3] =
                (words[index & 3] ^ UInt64(byte) ^ words[(index + 1) & 3] >> 7) &* 0x100_0000_01b3
        }
        return Digest256(words[0] ^ words[3], words[1] ^ words[0], words[2] ^ words[1], words[3] ^ words[2])
    }

    @Test func `every proof of every tree up to 33 leaves verifies, and none of them for another place`()
        throws
    {
        let all = (0..<33).map { MerkleHash.leaf([UInt8($0)], hashing: Self.quick) }
        for size in 1...33 {
            let tree = MerkleTree(Array(all.prefix(size)), hashing: Self.quick)
            let root = try #require(tree.root(size: size))
            for index in 0..<size {
                let proof = try #require(tree.inclusionProof(of: index))
                func holds(_ index: Int, _ leaf: Digest256, _ size: Int) -> Bool {
                    MerkleProof.includes(
                        leaf: leaf, at: Int64(index), size: Int64(size), root: root, proof: proof,
                        hashing: Self.quick)
                }
                #expect(holds(index, all[index], size))
                #expect(!holds(index, all[(index + 1) % 33], size))
                #expect(!holds(index + 1, all[index], size))
            }
            for old in 1...size {
                let proof = try #require(tree.consistencyProof(from: old))
                let before = try #require(tree.root(size: old))
                func holds(_ old: Int, _ before: Digest256) -> Bool {
                    MerkleProof.extends(
                        oldSize: Int64(old), oldRoot: before, newSize: Int64(size), newRoot: root,
                        proof: proof, hashing: Self.quick)
                }
                #expect(holds(old, before))
                #expect(!holds(old, all[0]) || (old == 1))
            }
        }
    }

    @Test func `a stored frontier whose peaks do not fit its size is none`() {
        let peak = MerkleHash.leaf([1], hashing: Self.quick)
        #expect(MerkleFrontier(size: 3, peaks: [peak]) == nil)
        #expect(MerkleFrontier(size: -1, peaks: []) == nil)
        #expect(MerkleFrontier(size: 4, peaks: [peak])?.size == 4)
    }
}
