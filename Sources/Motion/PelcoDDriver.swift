import Devices
import Media

/// A head on a serial line that speaks Pelco-D. It is told to stop when the line is opened, whenever it is to stop and
/// when the line is closed, each time `stopRepeats` times; the last word on the line is always a stop.
package final class PelcoDDriver: MotorDriver {
    package struct Settings: Sendable, Hashable {
        package var device: String
        package var baudRate = 2400
        package var address: UInt8 = 1
        /// The head answers questions for its position.
        package var answersQueries = false
        /// It turns to a position it is given.
        package var goesToPositions = false
        package var usesTurbo = false
        /// The longest way to a preset takes so long.
        package var travelTime = MediaTime.seconds(8)

        package init(device: String) { self.device = device }
    }

    package static func abilities(of settings: Settings) -> MotorAbilities {
        var abilities = MotorAbilities(directions: Set(PTZDirection.allCases))
        abilities.goesToPan = settings.goesToPositions
        abilities.goesToTilt = settings.goesToPositions
        abilities.homes = true
        abilities.keepsPresets = true
        abilities.hasAuxiliaries = true
        return abilities
    }

    /// Lines lose bytes, and some heads their first stop.
    package static let stopRepeats = 3
    package static let stopInterval = MediaTime.milliseconds(60)
    /// Heads stop by themselves when they hear nothing.
    package static let keepAlive = MediaTime.milliseconds(500)
    package static let queryInterval = MediaTime.milliseconds(150)
    /// An answer is at most so old, or the position counts as unknown.
    package static let positionAge = MediaTime.seconds(2)
    /// A line that was pulled out is noticed within this.
    package static let lookInterval = MediaTime.milliseconds(500)
    /// Answers are looked for this often after a question.
    private static let replyInterval = MediaTime.milliseconds(20)
    private static let writeTimeout = MediaTime.milliseconds(80)
    private static let closeTimeout = MediaTime.milliseconds(300)
    /// More than this waiting for a slow line means that a motion has to wait, and then the newest is sent.
    private static let mostUnsent = 2 * PelcoD.Frame.length
    private static let readBytes = 256

    private let settings: Settings
    private let openLine: (Settings) throws(DeviceError) -> any SerialLine
    private var line: (any SerialLine)?
    private var replies: PelcoDReplyReader
    private var velocity = MotorVelocity.zero
    private var isMoveWaiting = false
    private var nextKeepAlive: MediaTime?
    private var stopsLeft = 0
    private var nextStop: MediaTime?
    /// It goes somewhere by itself.
    private var travel: (began: MediaTime, ends: MediaTime)?
    private var position = MotorPosition()
    /// When the position was told last, and since when it has been the same.
    private var heardAt: MediaTime?
    private var unchangedSince = MediaTime.zero
    private var queries: [PelcoD.Position] = []
    private var nextQuery: MediaTime?

    package init(
        _ settings: Settings,
        openLine: @escaping (Settings) throws(DeviceError) -> any SerialLine = { settings throws(DeviceError) in
            try SerialPort(path: settings.device, baudRate: settings.baudRate)
        }
    ) {
        self.settings = settings
        self.openLine = openLine
        replies = PelcoDReplyReader(address: settings.address)
    }

    package var reading: MotorReading {
        MotorReading(position: position, isMoving: velocity != .zero || travel != nil)
    }

    // MARK: Orders

    package func open(at now: MediaTime) throws(DeviceError) {
        line = try openLine(settings)
        if settings.answersQueries { nextQuery = now + Self.queryInterval }
        try stop(at: now)
    }

    package func carryOut(_ order: MotorOrder, at now: MediaTime) throws(DeviceError) {
        switch order {
        case .stop: try stop(at: now)
        case .move(let velocity):
            begin(velocity, at: now)
            try sendMove(at: now)
        case .go(let target):
            try depart(at: now)
            if let pan = target.pan { try send(PelcoD.set(address, .pan, PelcoD.panValue(degrees: pan)), at: now) }
            if let tilt = target.tilt { try send(PelcoD.set(address, .tilt, PelcoD.tiltValue(degrees: tilt)), at: now) }
        case .home:
            try depart(at: now)
            try send(PelcoD.zeroPan(address), at: now)
        case .callPreset(let number):
            try depart(at: now)
            try send(PelcoD.callPreset(address, UInt8(clamping: number)), at: now)
        case .setPreset(let number): try send(PelcoD.setPreset(address, UInt8(clamping: number)), at: now)
        case .clearPreset(let number): try send(PelcoD.clearPreset(address, UInt8(clamping: number)), at: now)
        case .auxiliary(let number, let isOn):
            try send(PelcoD.auxiliary(address, UInt8(clamping: number), isOn: isOn), at: now)
        }
    }

    private var address: UInt8 { settings.address }

    private func begin(_ velocity: MotorVelocity, at now: MediaTime) {
        self.velocity = velocity
        travel = nil
        stopsLeft = 0
        nextStop = nil
    }

    /// A way that the head goes by itself. It hears of the end of its motion first.
    private func depart(at now: MediaTime) throws(DeviceError) {
        if velocity != .zero { try send(PelcoD.stop(address), at: now) }
        begin(.zero, at: now)
        nextKeepAlive = nil
        isMoveWaiting = false
        travel = (now, now + settings.travelTime)
        unchangedSince = now
    }

    private func sendMove(at now: MediaTime) throws(DeviceError) {
        isMoveWaiting = (line?.unsent ?? 0) > Self.mostUnsent
        nextKeepAlive = now + (isMoveWaiting ? Self.replyInterval : Self.keepAlive)
        if !isMoveWaiting { try send(PelcoD.move(address, velocity, usesTurbo: settings.usesTurbo), at: now) }
    }

    private func stop(at now: MediaTime) throws(DeviceError) {
        overtake()
        if velocity != .zero { try send(PelcoD.creep(address, velocity), at: now) }
        begin(.zero, at: now)
        nextKeepAlive = nil
        isMoveWaiting = false
        try send(PelcoD.stop(address), at: now)
        stopsLeft = Self.stopRepeats - 1
        nextStop = now + Self.stopInterval
    }

    /// A stop waits for little: not for all that was written to a slow line. What this cuts in two no head understands.
    private func overtake() {
        if let line, line.unsent > Self.mostUnsent { line.discardUnsent() }
    }

    private func send(_ frame: PelcoD.Frame, at now: MediaTime) throws(DeviceError) {
        try line?.write(frame.bytes, by: now + Self.writeTimeout)
        replies.sent(frame)
    }

    // MARK: Time

    package func advance(to now: MediaTime) throws(DeviceError) -> MediaTime? {
        try hear(at: now)
        if let due = nextStop, due <= now {
            try send(PelcoD.stop(address), at: now)
            stopsLeft -= 1
            nextStop = stopsLeft > 0 ? now + Self.stopInterval : nil
        }
        if let due = nextKeepAlive, due <= now { try sendMove(at: now) }
        if let due = nextQuery, due <= now, nextStop == nil { try ask(at: now) }
        if let travel, travel.ends <= now || hasArrived(travel.began, at: now) { self.travel = nil }
        let listensAt = settings.answersQueries ? now + Self.replyInterval : nil
        return [nextStop, nextKeepAlive, nextQuery.map { max($0, now) }, travel?.ends, listensAt].compactMap { $0 }
            .reduce(now + Self.lookInterval, min)
    }

    private func hear(at now: MediaTime) throws(DeviceError) {
        for reply in replies.receive(try line?.read(maximum: Self.readBytes) ?? []) {
            guard case .position(let axis, let value) = reply, settings.answersQueries else { continue }
            heardAt = now
            let before = position
            switch axis {
            case .pan: position.pan = PelcoD.panDegrees(value)
            case .tilt: position.tilt = PelcoD.tiltDegrees(value)
            // The head's own steps, of which nobody knows the magnification.
            case .zoom: break
            }
            if position != before { unchangedSince = now }
        }
        if let heardAt, heardAt + Self.positionAge < now {
            position = MotorPosition()
            self.heardAt = nil
        }
    }

    private func ask(at now: MediaTime) throws(DeviceError) {
        if queries.isEmpty { queries = [.tilt, .pan] }
        if (line?.unsent ?? 0) == 0, let next = queries.popLast() { try send(PelcoD.query(address, next), at: now) }
        nextQuery = now + Self.queryInterval
    }

    /// The head tells where it is, and has told the same for a while.
    private func hasArrived(_ began: MediaTime, at now: MediaTime) -> Bool {
        heardAt != nil && now - began > .seconds(1) && now - unchangedSince > Self.queryInterval * 6
    }

    // MARK: The end

    package func close() {
        guard let line else { return }
        overtake()
        self.line = nil
        let now = SystemMediaClock().now()
        let stop = PelcoD.stop(address).bytes
        let creep = velocity == .zero ? [] : PelcoD.creep(address, velocity).bytes
        velocity = .zero
        travel = nil
        // A line that takes nothing is one that nobody hears.
        try? line.write(creep + stop + stop + stop, by: now + Self.writeTimeout)
        line.close(by: now + Self.closeTimeout)
    }
}

/// What the driver needs of a serial port.
package protocol SerialLine: AnyObject {
    var unsent: Int { get }
    func write(_ bytes: [UInt8], by deadline: MediaTime) throws(DeviceError)
    func read(maximum: Int) throws(DeviceError) -> [UInt8]
    func discardUnsent()
    func close(by deadline: MediaTime)
}

extension SerialPort: SerialLine {}
