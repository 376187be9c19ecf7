/// Who commands a head: a visitor, a held connection, the command line. Two that are different never share one.
package struct MotionHolder: Sendable, Hashable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }
}
