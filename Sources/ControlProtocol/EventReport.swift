import Glibc

/// Something that happened, as `GET /api/v1/events` tells it. `id` and `event` are in the server-sent event's own
/// fields and again in its data, so that the data alone is complete.
package struct EventReport: Codable, Sendable, Hashable {
    package enum Name {
        package static let pushOpened = "push.opened"
        package static let pushPublishing = "push.publishing"
        package static let pushWaiting = "push.waiting"
        package static let pushClosed = "push.closed"
        package static let configurationChanged = "configuration.changed"
        package static let configurationRefused = "configuration.refused"

        /// Such as "camera.running", "microphone.lost".
        package static func device(isCamera: Bool, _ state: DeviceReport.State) -> String {
            "\(isCamera ? "camera" : "microphone").\(state.rawValue)"
        }

        /// A head's motor cannot be reached any more; it can again.
        package static let ptzAway = "ptz.away"
        package static let ptzBack = "ptz.back"

        /// Such as "disk.ready", "disk.missing".
        package static func disk(_ state: RecordingReport.Disk.State) -> String { "disk.\(state.rawValue)" }

        /// Such as "recording.recording", "recording.diskAway"; the stream is in `detail`.
        package static func recording(_ state: RecordingReport.Stream.State) -> String {
            "recording.\(state.rawValue)"
        }

        /// Pictures and sound are taken no more, or again.
        package static func privacy(isOn: Bool) -> String { isOn ? "privacy.on" : "privacy.off" }

        /// What a viewer says about a call: "call.answer", "call.hang_up".
        package static func call(_ word: some StringProtocol) -> String { "call.\(word)" }

        /// Somebody talks through the device's speaker; who is in `detail`.
        package static let talkBegan = "talk.began"
        /// Who and why is in `detail`.
        package static let talkEnded = "talk.ended"

        /// A file turned out to hold something else than was written to it.
        package static let recordingDamaged = "recording.damaged"
    }

    /// Counts up by one for each event since the agent started.
    package var id: UInt64
    package var event: String
    /// RFC 3339, UTC, milliseconds.
    package var time: String
    package var channel: Int?
    /// Camera and microphone events.
    package var device: String?
    package var detail: String?
    /// Who is meant, where it is a viewer that names itself, or a peer.
    package var visitor: Int64?
    package var push: PushReport?
    /// Platform events: the link's name.
    package var platform: String?

    package init(
        id: UInt64, event: String, time: String = Self.timestamp(), channel: Int? = nil, device: String? = nil,
        detail: String? = nil, visitor: Int64? = nil, push: PushReport? = nil, platform: String? = nil
    ) {
        self.id = id
        self.event = event
        self.time = time
        self.channel = channel
        self.device = device
        self.detail = detail
        self.visitor = visitor
        self.push = push
        self.platform = platform
    }

    /// The wall clock now, as RFC 3339 in UTC with milliseconds.
    package static func timestamp() -> String {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        return timestamp(seconds: now.tv_sec, milliseconds: now.tv_nsec / 1_000_000)
    }

    package static func timestamp(seconds: Int, milliseconds: Int) -> String {
        var (seconds, date) = (seconds, tm())
        gmtime_r(&seconds, &date)
        func digits(_ value: Int, _ count: Int) -> String {
            let text = String(value)
            return String(repeating: "0", count: max(0, count - text.count)) + text
        }
        return
            "\(digits(Int(date.tm_year) + 1900, 4))-\(digits(Int(date.tm_mon) + 1, 2))-\(digits(Int(date.tm_mday), 2))T"
            + "\(digits(Int(date.tm_hour), 2)):\(digits(Int(date.tm_min), 2)):\(digits(Int(date.tm_sec), 2))."
            + "\(digits(milliseconds, 3))Z"
    }

    /// The event as it goes over the wire.
    package var serverSentEvent: [UInt8] {
        Array("id: \(id)\nevent: \(event)\ndata: ".utf8) + ControlCoding.encode(self) + Array("\n\n".utf8)
    }
}
