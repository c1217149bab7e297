/// Order of use over places of an array: newest to oldest, every change in constant time.
///
/// Neighbours stand in an array of their own, so that one set of places can be ordered by several lists.
struct RecencyList {
    /// Neighbours of one place; -1 = none.
    struct Links {
        var newer: Int32 = -1
        var older: Int32 = -1
    }

    private(set) var newest: Int32 = -1
    private(set) var oldest: Int32 = -1

    mutating func push(_ place: Int32, in links: inout [Links]) {
        links[Int(place)] = Links(newer: -1, older: newest)
        if newest >= 0 { links[Int(newest)].newer = place } else { oldest = place }
        newest = place
    }

    mutating func remove(_ place: Int32, in links: inout [Links]) {
        let around = links[Int(place)]
        if around.newer >= 0 { links[Int(around.newer)].older = around.older } else { newest = around.older }
        if around.older >= 0 { links[Int(around.older)].newer = around.newer } else { oldest = around.newer }
    }

    /// Makes a place the newest.
    mutating func touch(_ place: Int32, in links: inout [Links]) {
        guard place != newest else { return }
        remove(place, in: &links)
        push(place, in: &links)
    }
}
