import Access

/// How the device meets its peers.
package struct PeerSettings: Sendable, Hashable {
    package var ice = ICESettings()
    package var marks = BufferMarks()
    /// Links at once, those that are being made included.
    package var maximumLinks = 32
    /// Signs tickets; nil where none are needed.
    package var ticketKey: Secret?

    /// Shorter keys could be guessed.
    package static let minimumKeyBytes = 32

    package init() {}
}
