public import Domain

/// The hashes of a Merkle tree as RFC 6962 section 2.1 (and RFC 9162 section 2.1) makes them: leaves and inner nodes
/// are told apart by their first byte, so that no inner node can be passed off as a leaf.
public enum MerkleHash {
    /// `SHA-256(0x00 ‖ content)`.
    public static func leaf(_ content: [UInt8], hashing: Hashing) -> Digest256 {
        ([0] + content).withUnsafeBytes { hashing($0) }
    }

    /// `SHA-256(0x01 ‖ left ‖ right)`.
    public static func node(_ left: Digest256, _ right: Digest256, hashing: Hashing) -> Digest256 {
        ([1] + left.bytes + right.bytes).withUnsafeBytes { hashing($0) }
    }

    /// The root of the tree without leaves: SHA-256 of nothing.
    public static func empty(hashing: Hashing) -> Digest256 {
        [UInt8]().withUnsafeBytes { hashing($0) }
    }
}

/// What is needed of a tree to let it grow and to know its root: the roots of its complete subtrees, the largest
/// first, one for each bit that is set in its size. At most 63 hashes, whatever the size.
public struct MerkleFrontier: Sendable, Equatable {
    public private(set) var size: Int64
    public private(set) var peaks: [Digest256]

    public init() {
        size = 0
        peaks = []
    }

    /// A frontier that was stored; nil when the number of peaks does not fit the size.
    public init?(size: Int64, peaks: [Digest256]) {
        guard size >= 0, size.nonzeroBitCount == peaks.count else { return nil }
        self.size = size
        self.peaks = peaks
    }

    /// Costs one hash on average.
    public mutating func append(_ leaf: Digest256, hashing: Hashing) {
        var node = leaf
        // Each complete subtree of the same height is joined with the new one, as a carry is added.
        for _ in 0..<size.trailingOnes {
            node = MerkleHash.node(peaks.removeLast(), node, hashing: hashing)
        }
        peaks.append(node)
        size += 1
    }

    public func root(hashing: Hashing) -> Digest256 {
        guard var node = peaks.last else { return MerkleHash.empty(hashing: hashing) }
        for peak in peaks.dropLast().reversed() { node = MerkleHash.node(peak, node, hashing: hashing) }
        return node
    }
}

extension Int64 {
    fileprivate var trailingOnes: Int { (~self).trailingZeroBitCount }
}

/// A tree whose leaf hashes are at hand: its root and proofs (RFC 9162 sections 2.1.1, 2.1.3.1, 2.1.4.1).
public struct MerkleTree {
    private let leaves: [Digest256]
    private let hashing: Hashing

    public init(_ leaves: [Digest256], hashing: @escaping Hashing) {
        self.leaves = leaves
        self.hashing = hashing
    }

    public var size: Int { leaves.count }

    /// Of the first `size` leaves; nil for more than there are.
    public func root(size: Int) -> Digest256? {
        guard (0...leaves.count).contains(size) else { return nil }
        return head(0..<size)
    }

    /// That the leaf stands in the tree of all leaves; nil for a leaf that is not there.
    public func inclusionProof(of leaf: Int) -> [Digest256]? {
        guard leaves.indices.contains(leaf) else { return nil }
        return path(to: leaf, in: 0..<leaves.count)
    }

    /// That the tree of the first `size` leaves is what the tree of all leaves began as; nil for a size that has no
    /// proof.
    public func consistencyProof(from size: Int) -> [Digest256]? {
        guard size > 0, size <= leaves.count else { return nil }
        return growth(from: size, in: 0..<leaves.count, isWhole: true)
    }

    private func head(_ range: Range<Int>) -> Digest256 {
        guard let first = range.first else { return MerkleHash.empty(hashing: hashing) }
        guard range.count > 1 else { return leaves[first] }
        let middle = range.lowerBound + range.count.leftPart
        return MerkleHash.node(
            head(range.lowerBound..<middle), head(middle..<range.upperBound), hashing: hashing)
    }

    private func path(to leaf: Int, in range: Range<Int>) -> [Digest256] {
        guard range.count > 1 else { return [] }
        let middle = range.lowerBound + range.count.leftPart
        let (left, right) = (range.lowerBound..<middle, middle..<range.upperBound)
        return leaf < middle
            ? path(to: leaf, in: left) + [head(right)] : path(to: leaf, in: right) + [head(left)]
    }

    private func growth(from size: Int, in range: Range<Int>, isWhole: Bool) -> [Digest256] {
        guard size < range.count else { return isWhole ? [] : [head(range)] }
        let left = range.count.leftPart
        let middle = range.lowerBound + left
        guard size > left else {
            return growth(from: size, in: range.lowerBound..<middle, isWhole: isWhole)
                + [head(middle..<range.upperBound)]
        }
        return growth(from: size - left, in: middle..<range.upperBound, isWhole: false)
            + [head(range.lowerBound..<middle)]
    }
}

extension Int {
    /// The largest power of two below this number of leaves, which is above 1.
    fileprivate var leftPart: Int { 1 << (bitWidth - 1 - (self - 1).leadingZeroBitCount) }
}
