/// Tells one viewer from another, whatever the number of its connections. A transport that knows its viewers says who
/// asks; over plain HTTP they say it themselves, and one that says nothing is visitor 0.
package struct VisitorID: Sendable, Hashable, CustomStringConvertible {
    package let number: UInt32

    package init(_ number: UInt32) { self.number = number }

    package static let anonymous = VisitorID(0)
    package var description: String { "\(number)" }
}
