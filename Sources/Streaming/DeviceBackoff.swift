import Media

/// The pauses between attempts to open a device: short at first, since a plug that slipped is back soon, and never long,
/// since somebody may stand on a ladder and watch.
package struct DeviceBackoff {
    package static let first = MediaTime.milliseconds(250)
    package static let longest = MediaTime.seconds(2)
    private var pause = Self.first

    package init() {}

    package mutating func next() -> MediaTime {
        defer { pause = min(pause * 2, Self.longest) }
        return pause
    }

    package mutating func reset() { pause = Self.first }
}
