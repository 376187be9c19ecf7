import PlatformProtocol

/// A question to the recordings, and what is to become of its answer.
package struct PlatformSearch: Sendable, Hashable {
    package enum Purpose: Sendable, Hashable {
        case list
        case playback(JT1078PlaybackRequest)
    }

    /// Of the command.
    package let serial: UInt16
    package let selection: JT1078Selection
    package let purpose: Purpose

    package init(serial: UInt16, selection: JT1078Selection, purpose: Purpose) {
        self.serial = serial
        self.selection = selection
        self.purpose = purpose
    }
}
