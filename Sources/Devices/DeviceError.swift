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

    /// Why the system refuses it, where that says what to do.
    package enum Cause: String, Sendable {
        /// There is no such device.
        case notThere
        /// This user may not open it.
        case notPermitted
        /// Another program holds it.
        case busy
    }

    package let kind: Kind
    /// Nil for anything else.
    package let cause: Cause?
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
        cause = nil
    }

    /// From a number of errno(3).
    package init(_ kind: Kind, device: String, action: String, errno code: Int32) {
        self.kind = kind
        self.device = device
        self.action = action
        let hint: String
        switch code {
        case ENOENT, ENODEV, ENXIO:
            (cause, hint) = (.notThere, "; is it plugged in? `edge-agent devices` lists what is there")
        case EACCES, EPERM:
            (cause, hint) = (.notPermitted, "; may this user open it? (groups video, audio, dialout and gpio)")
        case EBUSY: (cause, hint) = (.busy, "; another program holds it (`fuser -v` names it)")
        default: (cause, hint) = (nil, "")
        }
        reason = String(cString: strerror(code)) + hint
    }

    package var description: String { "\(device): \(action): \(reason)" }
}
