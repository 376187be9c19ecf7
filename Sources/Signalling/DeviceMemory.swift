import Imaging

/// What viewers have set and a restart must not undo. As a text: a line that names the format, then one for each thing
/// that is not as usual.
package struct DeviceMemory: Sendable, Hashable {
    package var isStandby = false
    /// Of channels whose picture is turned.
    package var orientations: [Int: PictureOrientation] = [:]

    package static let formatLine = "edge-agent device 1"
    /// Longer texts are not ours.
    package static let maximumBytes = 64 << 10

    package init() {}

    /// Nil where the first line is not ours. Lines that cannot be read are left out.
    package init?(text: some StringProtocol) {
        var lines = text.split(separator: "\n")[...]
        guard text.utf8.count <= Self.maximumBytes, let first = lines.popFirst(), first == Self.formatLine else {
            return nil
        }
        for line in lines {
            let words = line.split(separator: " ")
            switch (words.first, words.count) {
            case ("standby", 1): isStandby = true
            case ("orientation", 3):
                guard let channel = Int(words[1]) else { continue }
                set(PictureOrientation(rawValue: String(words[2])) ?? .normal, channel: channel)
            default: continue
            }
        }
    }

    package var text: String {
        var lines = [Self.formatLine]
        if isStandby { lines.append("standby") }
        for (channel, orientation) in orientations.sorted(by: { $0.key < $1.key }) {
            lines.append("orientation \(channel) \(orientation.rawValue)")
        }
        return lines.joined(separator: "\n") + "\n"
    }

    package func orientation(of channel: Int) -> PictureOrientation { orientations[channel] ?? .normal }

    package mutating func set(_ orientation: PictureOrientation, channel: Int) {
        orientations[channel] = orientation == .normal ? nil : orientation
    }
}
