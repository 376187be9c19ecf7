import Media

/// A device of a channel changed its state.
package struct DeviceEvent: Sendable {
    package enum Device: String, Sendable {
        case camera
        case microphone
    }

    package let channel: Int
    package let device: Device
    package let status: DeviceStatus
}
