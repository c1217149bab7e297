public import Domain

/// Checks proofs with nothing but hashes (RFC 9162 sections 2.1.3.2 and 2.1.4.2).
public enum MerkleProof {
    /// Whether the leaf with this hash stands at `index` in the tree of `size` leaves with this root.
    public static func includes(
        leaf: Digest256, at index: Int64, size: Int64, root: Digest256, proof: [Digest256], hashing: Hashing
    ) -> Bool {
        guard index >= 0, index < size else { return false }
        var (climb, node) = (Climb(number: index, last: size - 1), leaf)
        for step in proof {
            guard !climb.isOver else { return false }
            node =
                climb.takesLeft()
                ? MerkleHash.node(step, node, hashing: hashing)
                : MerkleHash.node(node, step, hashing: hashing)
        }
        return climb.isOver && node == root
    }

    /// Whether the tree of `oldSize` leaves with `oldRoot` is what the tree of `newSize` leaves with `newRoot` began as.
    public static func extends(
        oldSize: Int64, oldRoot: Digest256, newSize: Int64, newRoot: Digest256, proof: [Digest256],
        hashing: Hashing
    ) -> Bool {
        guard oldSize > 0, oldSize <= newSize else { return false }
        guard oldSize < newSize else { return proof.isEmpty && oldRoot == newRoot }
        // A tree that is complete is itself the first step.
        let steps = oldSize & (oldSize - 1) == 0 ? [oldRoot] + proof : proof
        guard let first = steps.first else { return false }
        var climb = Climb(number: oldSize - 1, last: newSize - 1)
        while climb.number & 1 == 1 { climb.rise() }
        var (old, new) = (first, first)
        for step in steps.dropFirst() {
            guard !climb.isOver else { return false }
            if climb.takesLeft() {
                old = MerkleHash.node(step, old, hashing: hashing)
                new = MerkleHash.node(step, new, hashing: hashing)
            } else {
                new = MerkleHash.node(new, step, hashing: hashing)
            }
        }
        return climb.isOver && old == oldRoot && new == newRoot
    }
}

/// The way from a node up to the root, level by level: `fn` and `sn` of RFC 9162.
private struct Climb {
    var number: Int64
    var last: Int64

    var isOver: Bool { last == 0 }

    mutating func rise() {
        number >>= 1
        last >>= 1
    }

    /// One level up, past levels where the node has no sibling; whether the sibling stands on the left.
    mutating func takesLeft() -> Bool {
        let isLeft = number & 1 == 1 || number == last
        if isLeft { while number & 1 == 0, number != 0 { rise() } }
        rise()
        return isLeft
    }
}
