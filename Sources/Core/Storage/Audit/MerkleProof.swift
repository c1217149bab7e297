package import Domain

/// Checks proofs with nothing but hashes (RFC 9162 sections 2.1.3.2 and 2.1.4.2).
package enum MerkleProof {
    /// Whether the leaf with this hash stands at `index` in the tree of `size` leaves with this root.
    package static func includes(
        leaf: Digest256, at index: Int64, size: Int64, root: Digest256, proof: [Digest256], hashing: Hashing
    ) -> Bool {
        guard index >= 0, index < size else { return false }
        var (number, last, node) = (index, size - 1, leaf)
        for step in proof {
            guard last != 0 else { return false }
            if number & 1 == 1 || number == last {
                node = MerkleHash.node(step, node, hashing: hashing)
                while number & 1 == 0, number != 0 {
                    number >>= 1
                    last >>= 1
                }
            } else {
                node = MerkleHash.node(node, step, hashing: hashing)
            }
            number >>= 1
            last >>= 1
        }
        return last == 0 && node == root
    }

    /// Whether the tree of `oldSize` leaves with `oldRoot` is what the tree of `newSize` leaves with `newRoot` began as.
    package static func extends(
        oldSize: Int64, oldRoot: Digest256, newSize: Int64, newRoot: Digest256, proof: [Digest256],
        hashing: Hashing
    ) -> Bool {
        guard oldSize > 0, oldSize <= newSize else { return false }
        guard oldSize < newSize else { return proof.isEmpty && oldRoot == newRoot }
        // A tree that is complete is itself the first step.
        let steps = oldSize & (oldSize - 1) == 0 ? [oldRoot] + proof : proof
        guard let first = steps.first else { return false }
        var (number, last) = (oldSize - 1, newSize - 1)
        while number & 1 == 1 {
            number >>= 1
            last >>= 1
        }
        var (old, new) = (first, first)
        for step in steps.dropFirst() {
            guard last != 0 else { return false }
            if number & 1 == 1 || number == last {
                old = MerkleHash.node(step, old, hashing: hashing)
                new = MerkleHash.node(step, new, hashing: hashing)
                while number & 1 == 0, number != 0 {
                    number >>= 1
                    last >>= 1
                }
            } else {
                new = MerkleHash.node(new, step, hashing: hashing)
            }
            number >>= 1
            last >>= 1
        }
        return last == 0 && old == oldRoot && new == newRoot
    }
}
