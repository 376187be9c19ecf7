/// Who talks: a visitor, a connection, a platform. Whoever hands these out sees to it that no two share one.
package struct TalkHolder: Sendable, Hashable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }

    /// A visitor with a number, on whatever connection.
    package init(visitor: Int64) { rawValue = UInt64(truncatingIfNeeded: visitor) & (1 << 62 - 1) }

    /// A connection whose visitor does not say who he is.
    package init(connection: UInt64) { rawValue = 1 << 62 | connection & (1 << 62 - 1) }
}
