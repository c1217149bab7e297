/// Disk space that is kept back for changes that protect: they have to be written also when everything else has filled
/// the disk.
public protocol SpareRoom: Sendable {
    /// Frees a part of it; false where the disk is not full, or nothing is left.
    func giveUp() async -> Bool
    /// Takes back what was given up, once the disk has plenty.
    func renew() async
}
