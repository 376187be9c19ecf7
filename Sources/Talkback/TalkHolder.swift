/// Who talks: a visitor, a connection, a platform. Whoever hands these out sees to it that no two share one.
package struct TalkHolder: Sendable, Hashable {
    package let rawValue: UInt64

    package init(rawValue: UInt64) { self.rawValue = rawValue }
}
