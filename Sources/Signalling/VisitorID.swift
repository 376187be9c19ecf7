/// Tells one viewer from another, whatever the number of its connections.
package enum VisitorID: Sendable, Hashable, CustomStringConvertible {
    /// Over plain HTTP viewers name themselves with a number, and one that says nothing is visitor 0.
    case named(UInt32)
    /// A peer's link: its transport knows who asks, and nobody can give himself its name.
    case link(UInt32)

    package init(_ number: UInt32) { self = .named(number) }

    /// The reverse of `number`; nil where no visitor can have it.
    package init?(number: Int64) {
        if let own = UInt32(exactly: number) {
            self = .named(own)
        } else if let link = UInt32(exactly: number - Self.firstLink) {
            self = .link(link)
        } else {
            return nil
        }
    }

    package static let anonymous = VisitorID.named(0)
    /// Above all that a viewer can call itself.
    private static let firstLink: Int64 = 1 << 32

    /// One number for visitors of both kinds, as reports, hooks and the control API have it.
    package var number: Int64 {
        switch self {
        case .named(let number): Int64(number)
        case .link(let id): Self.firstLink + Int64(id)
        }
    }

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
    package var number: Int64? { isNamed ? visitor.number : nil }
}
