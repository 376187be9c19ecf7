/// Days of a month, as `get_month_record` answers them: bit 0 is the first.
package struct MonthMask: Sendable, Hashable {
    package private(set) var bits: UInt32 = 0

    package init(days: some Sequence<Int> = []) {
        for day in days { insert(day: day) }
    }

    /// - Parameter day: from 1.
    package mutating func insert(day: Int) {
        guard (1...31).contains(day) else { return }
        bits |= 1 << UInt32(day - 1)
    }

    package func contains(day: Int) -> Bool { (1...31).contains(day) && bits >> UInt32(day - 1) & 1 == 1 }
    package var days: [Int] { (1...31).filter(contains(day:)) }
}
