import Media
import PlatformProtocol

/// When a location is due, and what it says. Locations of the time without a link are kept, and go first when it is back.
struct LocationReporter: Sendable {
    private let maximumUnsent: Int
    private(set) var nextDue: MediaTime?
    private var unsent: [JT808Location] = []
    private var lastBits: (alarms: UInt32, status: UInt32, video: [JT808Location.Extra])?
    private var tracking: (interval: MediaTime, until: MediaTime)?

    init(maximumUnsent: Int) { self.maximumUnsent = maximumUnsent }

    /// The first one is due at once: some platforms open nothing before it.
    mutating func loggedIn(_ now: MediaTime) { nextDue = now }

    mutating func track(every interval: MediaTime, until end: MediaTime, now: MediaTime) {
        tracking = interval > .zero ? (interval, end) : nil
        nextDue = now + (tracking?.interval ?? .zero)
    }

    mutating func due(
        now: MediaTime, view: TerminalView, settings: PlatformSettings, interval: MediaTime, mask: UInt32,
        isOnline: Bool
    ) -> [JT808Location] {
        if let tracking, now >= tracking.until { self.tracking = nil }
        let location = Self.location(view, settings: settings, mask: mask)
        let hasChanged = lastBits.map { $0 != (location.alarms, location.status, location.extras) } ?? false
        guard hasChanged || nextDue.map({ now >= $0 }) ?? false else { return [] }
        nextDue = now + (tracking?.interval ?? interval)
        lastBits = (location.alarms, location.status, location.extras)
        unsent.append(location)
        guard isOnline else {
            if unsent.count > maximumUnsent { unsent.removeFirst() }
            return []
        }
        defer { unsent = [] }
        return unsent
    }

    static func location(_ view: TerminalView, settings: PlatformSettings, mask: UInt32) -> JT808Location {
        var location = JT808Location(status: JT808Location.Status.isOn, time: JT808Time(milliseconds: view.wallClock))
        if view.position != nil { location.status |= JT808Location.Status.usesGPS }
        if let position = view.position ?? settings.position {
            location.status |= JT808Location.Status.hasPosition
            if position.latitude < 0 { location.status |= JT808Location.Status.isSouth }
            if position.longitude < 0 { location.status |= JT808Location.Status.isWest }
            location.latitude = millionths(position.latitude, 90)
            location.longitude = millionths(position.longitude, 180)
            location.altitude = UInt16(min(max(position.altitude.rounded(), 0), 65535))
        }
        var lost: UInt32 = 0
        for channel in settings.channels where view.channels[channel.id]?.isCameraLost == true {
            location.alarms |= JT808Location.Alarm.cameraFault
            if (1...32).contains(channel.logical) { lost |= 1 << (UInt32(channel.logical) - 1) }
        }
        var video: UInt32 = 0
        if lost != 0 { video |= JT808Location.VideoAlarm.signalLost }
        if view.isStorageFaulty { video |= JT808Location.VideoAlarm.storageFault }
        video &= ~mask
        // Always, so that a platform sees an alarm end.
        location.extras.append(.init(id: JT808Location.ExtraID.videoAlarms, number: video))
        if video & JT808Location.VideoAlarm.signalLost != 0 {
            location.extras.append(.init(id: JT808Location.ExtraID.signalLost, number: lost))
        }
        if video & JT808Location.VideoAlarm.storageFault != 0 {
            location.extras.append(.init(id: JT808Location.ExtraID.storageFaults, value: [0, 1]))
        }
        return location
    }

    private static func millionths(_ degrees: Double, _ limit: Double) -> UInt32 {
        UInt32((min(abs(degrees), limit) * 1_000_000).rounded())
    }
}
