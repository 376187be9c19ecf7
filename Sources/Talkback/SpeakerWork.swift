import Devices
import Logging
import Media
import Streaming

/// What the thread `speaker` does: keeps the speaker open and fed. Belongs to that thread.
///
/// A speaker that goes away in the middle of a talk is opened again with growing pauses; what comes meanwhile is too
/// late and let go.
final class SpeakerWork {
    private let settings: TalkSettings
    private let opener: any SpeakerOpening
    private let farEnd: FarEnd?
    private let clock: any MediaClock
    private let logger: Logger
    private var output: (any AudioOutput)?
    private var voice: TalkVoice?
    private var quietSince: MediaTime
    private var backoff = DeviceBackoff()
    private var nextAttempt = MediaTime.zero
    /// Of the speaker, when this talk began.
    private var underrunsBefore = 0

    /// How long the speaker is waited for before the thread looks what else there is to do.
    static let poll = MediaTime.milliseconds(100)
    /// Between two looks while there is no speaker.
    static let pause = MediaTime.milliseconds(50)
    /// So long after the speaker fell silent its echo may still be heard.
    static let echoTime = MediaTime.milliseconds(700)

    init(
        settings: TalkSettings, opener: any SpeakerOpening, farEnd: FarEnd?, clock: any MediaClock, logger: Logger
    ) {
        self.settings = settings
        self.opener = opener
        self.farEnd = farEnd
        self.clock = clock
        self.logger = logger
        quietSince = clock.now()
    }

    /// Nobody has talked for a while, so the speaker can close.
    var isQuiet: Bool {
        voice == nil && (output == nil || clock.now() - quietSince > TalkSettings.linger)
    }

    /// Nil when the speaker is open and this talk is heard.
    func begin(_ inbox: TalkInbox) -> TalkRefusal? {
        voice = nil
        quietSince = clock.now()
        do throws(DeviceError) {
            let output: any AudioOutput
            if let current = self.output { output = current } else { output = try open() }
            underrunsBefore = output.underruns
            // Whoever asked may have given up meanwhile.
            guard inbox.ending == nil else { return nil }
            voice = TalkVoice(inbox, rate: output.rate, settings: settings, latency: output.latency)
            farEnd?.setTalking(true)
            return nil
        } catch {
            return .speakerUnavailable("\(error)")
        }
    }

    /// Does what is to be done now, and waits for the speaker where it must.
    /// - Returns: how long there is nothing to do; nil to be called again at once.
    func turn() -> MediaTime? {
        if let voice, voice.inbox.ending == nil, clock.now() - voice.inbox.lastArrival > settings.idle {
            voice.inbox.end(.idle)
        }
        guard let output else { return lookForSpeaker() }
        do throws(DeviceError) {
            try feed(output)
        } catch {
            logger.warning("the speaker is lost; looking for it", metadata: ["detail": "\(error)"])
            self.output = nil
            nextAttempt = clock.now()
        }
        return nil
    }

    func close() {
        output = nil
        voice = nil
        farEnd?.setTalking(false)
    }

    private func open() throws(DeviceError) -> any AudioOutput {
        let (output, device) = try opener.open()
        logger.info("the speaker is open", metadata: ["device": "\(device)", "detail": "\(output.detail)"])
        self.output = output
        farEnd?.begin()
        return output
    }

    private func feed(_ output: any AudioOutput) throws(DeviceError) {
        let room = try output.room(timeout: Self.poll)
        voice?.gather()
        guard room > 0 else { return }
        let now = clock.now()
        let samples =
            voice?.next(room, at: now, latency: output.latency, speakerUnderruns: output.underruns - underrunsBefore)
            ?? [Int16](repeating: 0, count: room)
        let time = try output.write(samples)
        farEnd?.played(samples, at: time)
        if let voice {
            quietSince = now
            if voice.isDrained {
                voice.inbox.end(.finished)
                self.voice = nil
            }
        }
        farEnd?.setTalking(voice != nil || now - quietSince < Self.echoTime)
    }

    private func lookForSpeaker() -> MediaTime? {
        voice?.gather()
        guard let voice, !voice.inbox.isOver else {
            self.voice?.inbox.end(.finished)
            self.voice = nil
            return nil
        }
        guard clock.now() >= nextAttempt else { return Self.pause }
        do throws(DeviceError) {
            underrunsBefore = try open().underruns
            backoff.reset()
            return nil
        } catch {
            nextAttempt = clock.now() + backoff.next()
            return Self.pause
        }
    }
}
