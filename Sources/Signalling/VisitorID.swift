/// Tells one viewer from another, whatever the number of its connections. A transport that knows its viewers says who
/// asks; over plain HTTP they say it themselves, and one that says nothing is visitor 0.
package struct VisitorID: Sendable, Hashable, CustomStringConvertible {
    package let number: UInt32

    package init(_ number: UInt32) { self.number = number }

    package static let anonymous = VisitorID(0)
    package var description: String { "\(number)" }
}

/// Who asks, as far as it says.
package struct ViewerIdentity: Sendable, Hashable {
    package let visitor: VisitorID
    /// What kind of viewer: `wxmp-ios`, `app-android-…`, `server-voip`; nil where it does not say.
    package let requester: String?

    /// Of a requester's name, in bytes.
    package static let maximumRequesterBytes = 64

    package init(_ visitor: VisitorID, requester: String? = nil) {
        self.visitor = visitor
        self.requester = requester.flatMap { name in
            let isPlain = name.utf8.allSatisfy { (0x21...0x7E).contains($0) }
            return isPlain && (1...Self.maximumRequesterBytes).contains(name.utf8.count) ? name : nil
        }
    }

    /// A server that passes the stream on to many. It has a place of its own beside the viewers'.
    package var isServer: Bool { requester?.hasPrefix("server-") == true }
    package var isNamed: Bool { visitor != .anonymous }
    /// Nil for one without a name.
    package var number: UInt32? { isNamed ? visitor.number : nil }
}
