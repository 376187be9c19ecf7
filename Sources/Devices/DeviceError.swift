import Glibc

/// Why a device cannot be had, with what to do about it.
package struct DeviceError: Error, Sendable, CustomStringConvertible {
    package enum Kind: Sendable {
        /// It is not there, or does not open.
        case absent
        /// It was open and is gone.
        case lost
        /// It is there and lacks what is needed.
        case unsupported
    }

    package let kind: Kind
    package let device: String
    /// What was being done, such as "asking for buffers".
    package let action: String
    /// The system's word for it, or a hint.
    package let reason: String

    package init(_ kind: Kind, device: String, action: String, reason: String) {
        self.kind = kind
        self.device = device
        self.action = action
        self.reason = reason
    }

    /// From a number of errno(3).
    package init(_ kind: Kind, device: String, action: String, errno code: Int32) {
        let hint =
            switch code {
            case ENOENT, ENODEV, ENXIO: "; is it plugged in? `edge-agent devices` lists what is there"
            case EACCES, EPERM: "; may this user open it? (groups video, audio, dialout and gpio)"
            case EBUSY: "; another program holds it (`fuser -v` names it)"
            default: ""
            }
        self.init(kind, device: device, action: action, reason: String(cString: strerror(code)) + hint)
    }

    package var description: String { "\(device): \(action): \(reason)" }
}
