import Media
import PlatformProtocol
import Publishing

/// A terminal's side of a signalling link, as a value: bytes, times and what became of orders in; actions out. Knows no
/// socket, no disk, no motor, and no clock but the times it is given.
package struct PlatformSession: Sendable {
    package enum State: String, Sendable, Hashable, CaseIterable {
        /// Until the next attempt.
        case offline
        case connecting
        case registering
        case authenticating
        case online
    }

    package enum Action: Sendable, Hashable {
        case connect(PlatformSettings.Server)
        case disconnect
        case send([UInt8])
        case remember(PlatformMemory)
        case stream(PlatformStreams.Order)
        case find(PlatformSearch)
        case upload(serial: UInt16, JT1078UploadRequest)
        case controlUpload(JT1078UploadControl)
        case move(PlatformMove)
        /// How much of a channel's stream is lost on its way, per cent.
        case lossRate(PlatformStreams.Token, Int)
        /// The platform wants a channel's main stream to have so many bits a second at most; nil for as configured.
        case limit(channelID: Int, bitrate: Int?)
        /// Its command to open a stream was answered so; the channel is nil where there is none of that number.
        case refusedStream(PlatformStreams.Kind?, channelID: Int?, JT808Result)
        /// The platform's clock is ahead of the device's by so many seconds.
        case clockDiffers(Int)
        case online
        case offline(String)
        /// The platform does not know this terminal, or knows another one.
        case refused(String)
    }

    /// Streams go on for so long while the link is away; the platform decides when it is back.
    package static let grace = MediaTime.seconds(60)
    /// A command whose carrying out takes longer is answered before.
    package static let answerLimit = MediaTime.milliseconds(80)
    /// Commands whose answer may wait for something.
    static let maximumUnanswered = 32
    /// Locations that wait for the link.
    package static let maximumUnsent = 120
    /// Before the next attempt of a terminal that the platform refuses.
    static let refusedPause = MediaTime.seconds(120)
    static let connectLimit = MediaTime.seconds(10)
    /// Between the clocks, before anybody hears of it; seconds.
    static let clockTolerance = 5
    private static let pieceLimit = MediaTime.seconds(10)
    private static let pieceRequests = 3

    let settings: PlatformSettings
    var parameters: PlatformParameters
    package private(set) var state = State.offline
    /// Of the last change of `state`.
    package private(set) var since: MediaTime
    package var streams = PlatformStreams()
    var outbox: PlatformOutbox
    var replies = PlatformReplies()
    var memory: PlatformMemory
    /// Commands whose answer waits for something: by when it goes out in any case.
    var unanswered: [(serial: UInt16, id: UInt16, by: MediaTime)] = []

    private var uploadResults = UploadResults()
    private var splitter = JT808FrameSplitter()
    private var reassembler = JT808Reassembler()
    private var backoff: PlatformBackoff
    private var serverIndex = 0
    private var retryAt: MediaTime?
    private var lastReceived: MediaTime
    private var lastSent: MediaTime
    var heartbeatAt: MediaTime?
    var hasRegisteredAnew = false
    var closedInAuthentication = 0
    /// Dropped, since it was refused; a platform may remember it all the same.
    var formerCode: [UInt8]?
    var reporter: LocationReporter
    var offlineSince: MediaTime?
    private var isReconnectWanted = false
    private var isStopped = false
    package internal(set) var counters = Counters()

    package struct Counters: Sendable, Hashable {
        package var framesReceived = 0
        package var framesSent = 0
        package var framesBroken = 0
        package var logins = 0
        package var repeatsAnswered = 0
    }

    /// - Parameter seed: spreads the pauses of many devices.
    package init(settings: PlatformSettings, memory: PlatformMemory, seed: UInt64, now: MediaTime) {
        self.settings = settings
        self.memory = memory
        parameters = PlatformParameters(settings, overrides: memory.parameters)
        outbox = PlatformOutbox(version: settings.version, phone: settings.phone)
        backoff = PlatformBackoff(seed: seed)
        reporter = LocationReporter(maximumUnsent: Self.maximumUnsent)
        since = now
        lastReceived = now
        lastSent = now
    }

    /// When `wake` is to be called at the latest.
    package var nextWake: MediaTime? {
        [retryAt, outbox.nextDue, heartbeatAt, unanswered.map(\.by).min(), reporter.nextDue].compactMap { $0 }.min()
    }

    /// Where it goes, or went.
    package var server: PlatformSettings.Server? {
        let servers = parameters.servers
        return servers.isEmpty ? nil : servers[serverIndex % servers.count]
    }

    // MARK: Life

    package mutating func start(now: MediaTime) -> [Action] {
        guard state == .offline, !isStopped else { return [] }
        return limits.map { .limit(channelID: $0.key, bitrate: $0.value) } + connect(now)
    }

    private mutating func connect(_ now: MediaTime) -> [Action] {
        guard let server else { return [] }
        retryAt = now + Self.connectLimit
        enter(.connecting, now)
        return [.connect(server)]
    }

    mutating func enter(_ state: State, _ now: MediaTime) {
        guard state != self.state else { return }
        self.state = state
        since = now
    }

    package mutating func connected(now: MediaTime) -> [Action] {
        guard state == .connecting else { return [] }
        retryAt = nil
        lastReceived = now
        hasRegisteredAnew = false
        return memory.code == nil ? register(now) : authenticate(now)
    }

    /// The connection ended, or none came about.
    package mutating func connectionEnded(_ reason: String, now: MediaTime) -> [Action] {
        guard state != .offline else { return [] }
        if state == .authenticating {
            // Once may be the network. Twice, and the platform does not like the code.
            closedInAuthentication += 1
            if closedInAuthentication >= 2, memory.code != nil { return forgetCode() + wait(reason, now) }
        }
        return wait(reason, now)
    }

    private mutating func wait(_ reason: String, _ now: MediaTime, pause: MediaTime? = nil) -> [Action] {
        let wasOnline = state == .online
        if wasOnline { backoff.wasOnline(for: now - since) }
        let isQuick = isReconnectWanted
        isReconnectWanted = false
        serverIndex = wasOnline ? 0 : serverIndex + 1
        enter(.offline, now)
        splitter = JT808FrameSplitter()
        reassembler.reset()
        outbox.connectionEnded()
        replies.reset()
        uploadResults.connectionEnded()
        unanswered = []
        heartbeatAt = nil
        if offlineSince == nil { offlineSince = now }
        retryAt = isStopped ? nil : now + (isQuick ? .zero : pause ?? backoff.next())
        return wasOnline ? [.offline(reason)] : []
    }

    mutating func breakOff(_ reason: String, _ now: MediaTime, pause: MediaTime? = nil) -> [Action] {
        [.disconnect] + wait(reason, now, pause: pause)
    }

    /// Everything ends. The streams are closed by their owner.
    package mutating func stop(now: MediaTime) -> [Action] {
        isStopped = true
        retryAt = nil
        guard state != .offline else { return [] }
        return breakOff("the agent stops", now)
    }

    // MARK: Time

    package mutating func wake(now: MediaTime, view: TerminalView) -> [Action] {
        var actions: [Action] = []
        if let offlineSince, now - offlineSince >= Self.grace, !streams.all.isEmpty {
            let cause = CloseCause(.networkLost, "the platform has been away for \(Int(Self.grace.seconds)) s")
            actions += streams.giveUpAll(cause).map(Action.stream)
        }
        if let retryAt, now >= retryAt {
            self.retryAt = nil
            if state == .offline { return actions + connect(now) }
            if state == .connecting { return actions + breakOff("no connection in time", now) }
        }
        actions += report(now, view)
        guard state != .offline, state != .connecting else { return actions }
        if let silence = outbox.oldestSent, now - max(silence, lastReceived) >= silenceLimit {
            return actions + breakOff("the platform answers nothing", now)
        }
        for due in outbox.due(now: now, resends: parameters.resends) {
            switch due {
            case .again(let frames): actions += write(frames, now)
            case .givenUp(let id): return actions + breakOff("no answer to 0x\(hex(id))", now)
            }
        }
        actions += answerLate(now)
        if state == .online { actions += beat(now) + askForPieces(now) }
        return actions
    }

    /// With messages of ours unanswered, a platform that says nothing at all for so long is gone.
    private var silenceLimit: MediaTime { .seconds(Int64(max(parameters.heartbeat, parameters.answerTimeout))) }

    private mutating func beat(_ now: MediaTime) -> [Action] {
        let interval = MediaTime.seconds(Int64(parameters.heartbeat))
        // 2019 wants it always, 2013 where nothing else was sent.
        if settings.version == .v2013, let due = heartbeatAt { heartbeatAt = max(due, lastSent + interval) }
        guard let due = heartbeatAt, now >= due else { return [] }
        heartbeatAt = now + interval
        return send(.heartbeat, now, wantsAnswer: true)
    }

    private mutating func askForPieces(_ now: MediaTime) -> [Action] {
        let missing = reassembler.overdue(
            now: now.milliseconds, patience: Self.pieceLimit.milliseconds, limit: Self.pieceRequests)
        // 2013 has no message for that.
        guard settings.version == .v2019 else { return [] }
        return missing.flatMap {
            send(.terminalResend(JT808ResendRequest(firstSerial: $0.firstSerial, indices: $0.indices)), now)
        }
    }

    private mutating func report(_ now: MediaTime, _ view: TerminalView) -> [Action] {
        guard counters.logins > 0 else { return [] }
        let locations = reporter.due(
            now: now, view: view, settings: settings, interval: .seconds(Int64(parameters.locationInterval)),
            mask: parameters.alarmMask, isOnline: state == .online)
        return locations.flatMap { send(.location($0), now, wantsAnswer: true) }
    }

    // MARK: Sending

    mutating func send(_ message: JT808Message, _ now: MediaTime, wantsAnswer: Bool = false) -> [Action] {
        let timeout = MediaTime.seconds(Int64(parameters.answerTimeout))
        return write(outbox.frames(of: message, timeout: wantsAnswer ? timeout : nil, now: now).frames, now)
    }

    private mutating func write(_ frames: [[UInt8]], _ now: MediaTime) -> [Action] {
        lastSent = now
        counters.framesSent += frames.count
        return frames.map(Action.send)
    }

    /// Answers a command; the answer is kept for the case that it gets lost.
    mutating func answer(
        _ serial: UInt16, _ id: UInt16, with message: JT808Message, _ now: MediaTime
    ) -> [Action] {
        replies.answered(serial, id, with: message)
        return send(message, now)
    }

    mutating func answer(_ serial: UInt16, _ id: UInt16, _ result: JT808Result, _ now: MediaTime) -> [Action] {
        unanswered.removeAll { $0.serial == serial && $0.id == id }
        return answer(
            serial, id, with: .terminalAnswer(JT808GeneralAnswer(answers: serial, id: id, result: result)), now)
    }

    private mutating func answerLate(_ now: MediaTime) -> [Action] {
        unanswered.filter { $0.by <= now }.flatMap { answer($0.serial, $0.id, .done, now) }
    }

    // MARK: Receiving

    package mutating func received(_ bytes: some Sequence<UInt8>, now: MediaTime, view: TerminalView) -> [Action] {
        guard state != .offline, state != .connecting else { return [] }
        lastReceived = now
        var actions: [Action] = []
        for found in splitter.feed(bytes) {
            guard case .success(let escaped) = found, let frame = try? JT808Frame(escaped: escaped) else {
                counters.framesBroken += 1
                continue
            }
            counters.framesReceived += 1
            actions += take(frame, now, view)
            if state == .offline { return actions }
        }
        return actions
    }

    private mutating func take(_ frame: JT808Frame, _ now: MediaTime, _ view: TerminalView) -> [Action] {
        var (serial, body) = (frame.header.serial, frame.body)
        let id = frame.header.id
        guard frame.header.encryption == 0 else { return answer(serial, id, .badMessage, now) }
        if let piece = frame.header.piece {
            switch reassembler.take(frame, piece: piece, now: now.milliseconds) {
            case .waiting: return []
            case .refused: return answer(serial, id, .badMessage, now)
            case .complete(let first, let whole): (serial, body) = (first, whole)
            }
        }
        let message: JT808Message
        do throws(JT808Error) {
            message = try JT808Message(id: id, body: body, version: frame.header.version)
        } catch {
            // An answer is never answered, whatever is wrong with it.
            let isAnswer = [0x8001, 0x8100, 0x8004].contains(id)
            let isOpening = [0x9101, 0x9201].contains(id) && state == .online
            return isAnswer
                ? []
                : answer(serial, id, .badMessage, now)
                    + (isOpening ? [.refusedStream(nil, channelID: nil, .badMessage)] : [])
        }
        if let actions = takeAnswer(message, now, view) { return actions }
        guard state == .online else { return answer(serial, id, .failed, now) }
        if let answers = replies.begin(.init(id: id, serial: serial, body: body), now: now) {
            counters.repeatsAnswered += 1
            return answers.flatMap { send($0, now) }
        }
        return perform(message, serial, now, view)
    }

    /// Nil for what is no answer.
    private mutating func takeAnswer(_ message: JT808Message, _ now: MediaTime, _ view: TerminalView) -> [Action]? {
        switch message {
        case .registrationAnswer(let answer): return registered(answer, now)
        case .platformAnswer(let answer):
            let wasAwaited = outbox.answered(answer.id, serial: answer.answers)
            if answer.id == 0x1206 { uploadResults.confirmed(answer.answers) }
            guard wasAwaited, state == .authenticating, answer.id == 0x0102 else { return [] }
            return answer.result == JT808Result.done.rawValue ? loggedIn(now) : rejected(answer.result, now)
        case .time(let answer):
            _ = outbox.answered(0x0004, serial: nil)
            return compare(answer.time, view)
        case .resend(let request): return write(outbox.pieces(request), now)
        default: return nil
        }
    }

    // MARK: Uploads' ends

    /// An upload is over; said until the platform confirms it, on another connection too.
    package mutating func uploaded(_ serial: UInt16, isDone: Bool, now: MediaTime) -> [Action] {
        uploadResults.add(JT1078UploadResult(answers: serial, result: isDone ? 0 : 1))
        return state == .online ? reportUploads(now) : []
    }

    mutating func reportUploads(_ now: MediaTime) -> [Action] {
        let timeout = MediaTime.seconds(Int64(parameters.answerTimeout))
        return uploadResults.unsent.flatMap { index, body in
            let (serial, frames) = outbox.frames(of: .uploadResult(body), timeout: timeout, now: now)
            uploadResults.sent(index, as: serial)
            return write(frames, now)
        }
    }

    // MARK: Orders' ends

    /// A command's order was carried out, or not.
    package mutating func carriedOut(_ serial: UInt16, _ id: UInt16, _ result: JT808Result, now: MediaTime) -> [Action]
    {
        // Its answer may have gone out, or its connection be gone.
        guard unanswered.contains(where: { $0.serial == serial && $0.id == id }) else { return [] }
        return answer(serial, id, result, now)
    }

    /// Settings that the platform has set.
    mutating func keep(_ parameters: PlatformParameters) -> [Action] {
        let (servers, before) = (self.parameters.servers, limits)
        self.parameters = parameters
        memory.parameters = parameters.overrides
        if servers != parameters.servers { isReconnectWanted = true }
        let after = limits
        let changed = settings.channels.filter { before[$0.id] != after[$0.id] }
        return [.remember(memory)] + changed.map { .limit(channelID: $0.id, bitrate: after[$0.id]) }
    }

    /// Of channels' main streams, by the channels' ids; bits a second.
    private var limits: [Int: Int] {
        var limits: [Int: Int] = [:]
        for channel in settings.channels { limits[channel.id] = parameters.bitrateLimit(channel.logical) }
        return limits
    }

    /// After the answer was sent.
    mutating func moveIfWanted(_ now: MediaTime) -> [Action] {
        guard isReconnectWanted, state == .online else { return [] }
        serverIndex = 0
        return breakOff("the platform names another server", now)
    }

    mutating func track(every interval: MediaTime, for validity: MediaTime, _ now: MediaTime) {
        reporter.track(every: interval, until: now + validity, now: now)
    }

    func location(_ view: TerminalView) -> JT808Location {
        LocationReporter.location(view, settings: settings, mask: parameters.alarmMask)
    }
}

extension PlatformSession {
    /// Seconds between the kernel's probes of a silent link, three of which are within the heartbeat's interval.
    package var keepAliveSeconds: Int { max(parameters.heartbeat / 3, 1) }
}
