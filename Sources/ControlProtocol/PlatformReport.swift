/// A link to a fleet platform.
package struct PlatformReport: Codable, Sendable, Hashable {
    package enum State: String, Codable, Sendable, CaseIterable {
        /// Until the next attempt.
        case offline
        case connecting, registering, authenticating, online
    }

    /// A media stream that the platform has opened.
    package struct Stream: Codable, Sendable, Hashable {
        /// As the platform counts.
        package var logicalChannel: Int
        package var channel: Int
        /// live, talk, listen, broadcast or playback.
        package var kind: String
        package var codeStream: CodeStream
        package var publishing: Bool
        package var paused: Bool
        /// Id of the push that carries it.
        package var push: String?

        package init(
            logicalChannel: Int, channel: Int, kind: String, codeStream: CodeStream, publishing: Bool, paused: Bool,
            push: String?
        ) {
            self.logicalChannel = logicalChannel
            self.channel = channel
            self.kind = kind
            self.codeStream = codeStream
            self.publishing = publishing
            self.paused = paused
            self.push = push
        }
    }

    package var name: String
    package var state: State
    /// Since the last change of `state`.
    package var sinceSeconds: Double
    /// Host and port.
    package var server: String
    package var phone: String
    /// 2013 or 2019.
    package var version: String
    /// Why it is not online.
    package var detail: String
    package var framesReceived: Int
    package var framesSent: Int
    package var framesBroken: Int
    package var logins: Int
    package var streams: [Stream]

    package init(
        name: String, state: State, sinceSeconds: Double, server: String, phone: String, version: String,
        detail: String, framesReceived: Int, framesSent: Int, framesBroken: Int, logins: Int, streams: [Stream]
    ) {
        self.name = name
        self.state = state
        self.sinceSeconds = sinceSeconds
        self.server = server
        self.phone = phone
        self.version = version
        self.detail = detail
        self.framesReceived = framesReceived
        self.framesSent = framesSent
        self.framesBroken = framesBroken
        self.logins = logins
        self.streams = streams
    }
}

/// A frame that went over a link lately.
package struct PlatformFrameReport: Codable, Sendable, Hashable {
    package var number: Int
    /// RFC 3339, UTC, milliseconds.
    package var time: String
    package var sent: Bool
    /// Nil where it holds a secret.
    package var hex: String?
    /// In words.
    package var text: String

    package init(number: Int, time: String, sent: Bool, hex: String?, text: String) {
        self.number = number
        self.time = time
        self.sent = sent
        self.hex = hex
        self.text = text
    }
}
