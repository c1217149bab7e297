import Foundation
import Storage
import Synchronization

/// The usage journal's file, mapped into memory: a header page and slots of a fixed size.
///
/// Layout, numbers little-endian:
///
///     header, 4,096 bytes: "GWUSAGEJ", format version u32, slot size u32, number of slots u32
///     slot, 1,024 bytes:   state u64 (0 = free, else the row's sequence number), checksum u64 over the sequence
///                          number and the row, length of the row u32, 4 bytes unused, the row
///
/// A slot's state is written last, after everything else in it is visible. So a process that is killed leaves
/// either a whole row or a free slot. After a power cut any part of a slot may be old: the checksum tells.
final class JournalFile: @unchecked Sendable {
    // Safe because the mapping stays in place from init to deinit, and each slot in it is written by the one
    // thread that took the slot and read by others only once its state, an atomic word, says so.

    /// One format only; another version's file is refused, for its rows must not be misread.
    static let version: UInt32 = 1
    static let headerSize = 4_096
    static let slotSize = 1_024
    /// State, checksum, length and padding.
    static let slotHead = 24
    static let rowSize = slotSize - slotHead
    /// Bounds the address space and the memory that a damaged header could ask for: 1 GiB.
    static let slotsAtMost = 1 << 20
    private static let magic = Array("GWUSAGEJ".utf8)

    let slots: Int
    private let base: UnsafeMutableRawPointer
    private let size: Int

    /// Maps the file, making it with the given number of slots if it is missing; a file that is there keeps its own.
    init(at path: String, slots: Int) throws {
        if try PrivateFile.identity(of: path) == nil {
            try Self.make(path, slots: min(max(1, slots), Self.slotsAtMost))
        }
        let descriptor = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC)
        guard descriptor >= 0 else { throw Self.failure("open", path) }
        defer { close(descriptor) }
        self.slots = try Self.slots(in: descriptor, path)
        size = Self.headerSize + self.slots * Self.slotSize
        let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0)
        guard let mapped, mapped != MAP_FAILED else { throw Self.failure("map", path) }
        base = mapped
    }

    deinit { munmap(base, size) }

    /// Where a slot's row lies.
    func row(_ slot: Int) -> UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: start(slot) + Self.slotHead, count: Self.rowSize)
    }

    /// Makes what was written into the slot's row a row: the last step of writing.
    func publish(_ slot: Int, length: Int, sequence: UInt64) {
        let start = start(slot)
        let sum = Self.checksum(start + Self.slotHead, length, sequence)
        start.storeBytes(of: sum.littleEndian, toByteOffset: 8, as: UInt64.self)
        start.storeBytes(
            of: UInt32(truncatingIfNeeded: length).littleEndian, toByteOffset: 16, as: UInt32.self)
        state(slot).pointee.store(sequence.littleEndian, ordering: .releasing)
    }

    func clear(_ slot: Int) { state(slot).pointee.store(0, ordering: .releasing) }

    /// The sequence number of the slot's row; 0 = free or not yet written.
    func sequence(_ slot: Int) -> UInt64 {
        UInt64(littleEndian: state(slot).pointee.load(ordering: .acquiring))
    }

    /// The slot's row, if its checksum holds for the given sequence number.
    func checkedRow(_ slot: Int, sequence: UInt64) -> UnsafeRawBufferPointer? {
        let start = start(slot)
        let length = Int(UInt32(littleEndian: start.load(fromByteOffset: 16, as: UInt32.self)))
        let sum = UInt64(littleEndian: start.load(fromByteOffset: 8, as: UInt64.self))
        guard length <= Self.rowSize, Self.checksum(start + Self.slotHead, length, sequence) == sum else {
            return nil
        }
        return UnsafeRawBufferPointer(start: start + Self.slotHead, count: length)
    }

    private func start(_ slot: Int) -> UnsafeMutableRawPointer {
        base + Self.headerSize + slot * Self.slotSize
    }

    private func state(_ slot: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
        // Slots begin at multiples of 1,024 from a page: aligned for the atomic word.
        start(slot).assumingMemoryBound(to: Atomic<UInt64>.self)
    }

    /// A sum over words that any change of one word changes (each step is a bijection); not against forgers.
    private static func checksum(_ bytes: UnsafeMutableRawPointer, _ count: Int, _ sequence: UInt64) -> UInt64
    {
        // The prime and the start value of 64-bit FNV-1a, here fed eight bytes at a time.
        var sum: UInt64 = 0xcbf2_9ce4_8422_2325 ^ sequence
        sum = (sum ^ UInt64(count)) &* 0x0000_0100_0000_01b3
        var offset = 0
        while offset + 8 <= count {
            let word = bytes.load(fromByteOffset: offset, as: UInt64.self)
            sum = (sum ^ UInt64(littleEndian: word)) &* 0x0000_0100_0000_01b3
            sum = sum << 29 | sum >> 35
            offset += 8
        }
        while offset < count {
            sum = (sum ^ UInt64(bytes.load(fromByteOffset: offset, as: UInt8.self))) &* 0x0000_0100_0000_01b3
            offset += 1
        }
        return sum
    }
}

// Making and checking the file.
extension JournalFile {
    /// Makes the file under another name and moves it into place whole, so that there is never half a journal.
    private static func make(_ path: String, slots: Int) throws {
        let draft = path + ".new"
        unlink(draft)
        let descriptor = open(draft, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure("create", draft) }
        defer { close(descriptor) }
        // All blocks are taken now: a store into the mapping can then not meet a full disk, which would be SIGBUS.
        let result = posix_fallocate(descriptor, 0, off_t(headerSize + slots * slotSize))
        guard result == 0 else {
            errno = result
            throw failure("reserve the space for", draft)
        }
        var header = magic
        for number in [version, UInt32(slotSize), UInt32(slots)] {
            withUnsafeBytes(of: number.littleEndian) { header.append(contentsOf: $0) }
        }
        guard pwrite(descriptor, header, header.count, 0) == header.count, fsync(descriptor) == 0,
            rename(draft, path) == 0
        else { throw failure("write", draft) }
    }

    /// Reads the header; refuses a file that this version would misread, and leaves it as it is.
    private static func slots(in descriptor: Int32, _ path: String) throws -> Int {
        var header = [UInt8](repeating: 0, count: magic.count + 12)
        guard pread(descriptor, &header, header.count, 0) == header.count, header.starts(with: magic) else {
            throw StorageFailure.corrupt("\(path) is not a usage journal; move it away to begin a new one")
        }
        let numbers = (0..<3).map { index in
            (0..<4).reduce(UInt32(0)) { $0 | UInt32(header[magic.count + index * 4 + $1]) << UInt32($1 * 8) }
        }
        guard numbers[0] == version, numbers[1] == UInt32(slotSize) else {
            throw StorageFailure.unavailable(
                "\(path) has format \(numbers[0]) with slots of \(numbers[1]) bytes, this gatehouse reads format "
                    + "\(version) with \(slotSize): start the version that wrote it once, so that its rows reach "
                    + "the ledger, then move the file away")
        }
        let slots = Int(numbers[2])
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw failure("examine", path) }
        guard slots > 0, slots <= slotsAtMost, Int(status.st_size) == headerSize + slots * slotSize else {
            throw StorageFailure.corrupt(
                "\(path) has \(status.st_size) bytes, which does not fit its \(slots) slots: it was cut or "
                    + "overwritten; bring back the whole file, or move it away and lose its rows")
        }
        return slots
    }

    private static func failure(_ verb: String, _ path: String) -> StorageFailure {
        .unavailable("cannot \(verb) \(path): \(PrivateFile.reason())")
    }
}
