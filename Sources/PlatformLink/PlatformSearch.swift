import PlatformProtocol
import Streaming

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

/// What a platform wants a channel's head to do.
package struct PlatformMove: Sendable, Hashable {
    package enum Motion: Sendable, Hashable {
        case stop
        /// Speed 0…1.
        case up(Double)
        case down(Double)
        case left(Double)
        case right(Double)
        case focusFar, focusNear
        case irisOpen, irisClose
        case zoomIn, zoomOut
        case wiper(Bool)
        case infrared(Bool)
    }

    package let serial: UInt16
    package let id: UInt16
    package let channelID: Int
    package let motion: Motion
}
