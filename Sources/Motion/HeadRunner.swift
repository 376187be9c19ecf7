import Devices
import Glibc
import Logging
import Media
import Streaming

/// The life of a head on its thread: opens the motor, hands it what `HeadState` orders, and opens it again when it was
/// lost. Only used there.
final class HeadRunner {
    /// A motor gets so long to slow down before it is let go.
    static let restTimeout = MediaTime.milliseconds(600)
    /// How often those who ask see a head that moves move.
    static let publishInterval = MediaTime.milliseconds(50)
    /// A position is kept when the head has been at rest for so long: not at every step of somebody's aiming.
    static let keepAfter = MediaTime.seconds(2)
    private static let idle = MediaTime.seconds(3600)

    private let channel: Int
    private let settings: PTZSettings
    private let store: HeadStore
    private let inbox: HeadInbox
    private let latest: PublishedReport
    private let logger: Logger
    private let onFault: @Sendable (DeviceError?) -> Void
    private let makeDriver: @Sendable (MotorPosition) -> any MotorDriver
    private let clock = SystemMediaClock()
    private var state: HeadState
    private var memory = HeadMemory()
    private var position = MotorPosition()
    private var report: PTZReport
    private var publishAt = MediaTime.zero
    private var restsSince: MediaTime?
    private var backoff = DeviceBackoff()

    init(
        channel: Int, settings: PTZSettings, store: HeadStore, inbox: HeadInbox, latest: PublishedReport,
        logger: Logger, onFault: @escaping @Sendable (DeviceError?) -> Void,
        makeDriver: @escaping @Sendable (MotorPosition) -> any MotorDriver
    ) {
        self.channel = channel
        self.settings = settings
        self.store = store
        self.inbox = inbox
        self.latest = latest
        self.logger = logger
        self.onFault = onFault
        self.makeDriver = makeDriver
        state = HeadState(settings.head, abilities: settings.abilities)
        report = latest.report
    }

    func run() {
        if let known = store.load(channel) { memory = known } else { memory.position = settings.firstPosition }
        if memory.isMoving {
            logger.warning(
                "the head was moving when the agent ended; it knows its position again after going home",
                metadata: ["channel": "\(channel)"])
        } else {
            position = memory.position
        }
        state = HeadState(settings.head, abilities: settings.abilities, presets: memory.presets)
        if settings.isRealTime { becomePunctual() }
        while true {
            do throws(DeviceError) {
                return try drive()
            } catch {
                if !stayAway(because: error) { return }
            }
        }
    }

    private func becomePunctual() {
        let code = RealTimeThread.enter()
        if code != 0 {
            logger.notice(
                "the motor's thread may not run before others, so steps may be late",
                metadata: ["channel": "\(channel)", "detail": "\(String(cString: strerror(code)))"])
        }
    }

    // MARK: With a motor

    /// Returns when the head is to be let go.
    private func drive() throws(DeviceError) {
        let driver = makeDriver(position)
        defer {
            // What is let go while it turns is somewhere else when it rests.
            position = driver.reading.isMoving ? MotorPosition() : driver.reading.position
            driver.close()
        }
        try driver.open(at: clock.now())
        found()
        while true {
            let next = try work(driver)
            let delivery = inbox.take(until: next)
            if delivery.isClosed { return try end(driver, delivery) }
            try handle(delivery, driver)
        }
    }

    /// What is due by now.
    /// - Returns: when something is due next.
    private func work(_ driver: any MotorDriver) throws(DeviceError) -> MediaTime {
        let now = clock.now()
        let next = try driver.advance(to: now)
        let orders = state.observe(driver.reading, at: now) + state.expire(at: now)
        try give(orders, to: driver, at: now)
        tell(driver, at: now, isNews: !orders.isEmpty)
        if !orders.isEmpty { return now }
        let keepsAt = memory.isMoving ? restsSince.map { $0 + Self.keepAfter } : nil
        return [next, state.nextDeadline, keepsAt].compactMap { $0 }.reduce(now + Self.idle, min)
    }

    private func give(_ orders: [MotorOrder], to driver: any MotorDriver, at now: MediaTime) throws(DeviceError) {
        for order in orders { try driver.carryOut(order, at: now) }
    }

    private func handle(_ delivery: HeadInbox.Delivery, _ driver: any MotorDriver) throws(DeviceError) {
        let now = clock.now()
        var orders = delivery.lost.flatMap { state.lost($0) }
        if delivery.hasLostMore { orders += state.stop(because: .holderLost) }
        var rest = delivery.commands[...]
        do throws(DeviceError) {
            try give(orders, to: driver, at: now)
            while let waiting = rest.first {
                try carryOut(waiting, driver, at: now)
                rest.removeFirst()
            }
        } catch {
            for waiting in rest { waiting.answer(.failure(.unavailable("\(error)"))) }
            throw error
        }
        if !orders.isEmpty { tell(driver, at: now, isNews: true) }
    }

    private func carryOut(
        _ waiting: HeadInbox.Waiting, _ driver: any MotorDriver, at now: MediaTime
    ) throws(DeviceError) {
        let orders: [MotorOrder]
        do throws(PTZRefusal) {
            orders = try state.perform(waiting.command, for: waiting.holder, at: now)
        } catch {
            return waiting.answer(.failure(error))
        }
        try give(orders, to: driver, at: now)
        try give(state.observe(driver.reading, at: now), to: driver, at: now)
        tell(driver, at: now, isNews: true)
        waiting.answer(.success(report))
    }

    private func end(_ driver: any MotorDriver, _ delivery: HeadInbox.Delivery) throws(DeviceError) {
        for waiting in delivery.commands { waiting.answer(.failure(.closed)) }
        let deadline = clock.now() + Self.restTimeout
        try give(state.stop(because: .shutdown), to: driver, at: clock.now())
        while driver.reading.isMoving, clock.now() < deadline {
            let next = try driver.advance(to: clock.now()) ?? deadline
            sleep(until: min(next, deadline))
        }
        _ = state.observe(driver.reading, at: clock.now())
        keep(isNow: true)
    }

    private func sleep(until time: MediaTime) {
        var deadline = time.timespec
        while clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &deadline, nil) == EINTR {}
    }

    // MARK: Without one

    /// Refuses commands until the motor is to be tried again.
    /// - Returns: false where the head is to be let go.
    private func stayAway(because error: DeviceError) -> Bool {
        if report.fault == nil {
            logger.error("a head's motor is away", metadata: ["channel": "\(channel)", "detail": "\(error)"])
            onFault(error)
            _ = state.stop(because: .fault)
        }
        _ = state.observe(MotorReading(position: position), at: clock.now())
        report.fault = "\(error)"
        fillReport()
        latest.report = report
        let end = clock.now() + backoff.next()
        while clock.now() < end {
            let delivery = inbox.take(until: end)
            for waiting in delivery.commands {
                // A release is done: what cannot be reached was told to stop as it was let go, and is when it is back.
                waiting.answer(
                    delivery.isClosed
                        ? .failure(.closed)
                        : waiting.command == .release ? .success(report) : .failure(.unavailable("\(error)")))
            }
            if delivery.isClosed {
                keep(isNow: true)
                return false
            }
        }
        return true
    }

    private func found() {
        backoff.reset()
        guard report.fault != nil else { return }
        report.fault = nil
        logger.notice("a head's motor is back", metadata: ["channel": "\(channel)"])
        onFault(nil)
    }

    // MARK: What others see, and what is kept

    private func tell(_ driver: any MotorDriver, at now: MediaTime, isNews: Bool) {
        restsSince = state.isMoving || state.isPatrolling ? nil : restsSince ?? now
        keep(isNow: false)
        guard isNews || now >= publishAt || report.isMoving != state.isMoving else { return }
        publishAt = now + Self.publishInterval
        // To add it up takes a while, in which no step is taken.
        if !state.isMoving { report.jitter = driver.jitter }
        fillReport()
        latest.report = report
    }

    private func fillReport() {
        report.pan = state.reading.position.pan
        report.tilt = state.reading.position.tilt
        report.zoom = state.reading.position.zoom
        report.limits = settings.head.limits
        report.isMoving = state.isMoving
        report.isAtEnd = state.isAtEnd
        report.isPatrolling = state.isPatrolling
        report.presets = state.presets.keys.sorted()
        report.counters = state.counters
    }

    /// Motions at once, rest when it has lasted, so that a crash between them finds a motion.
    private func keep(isNow: Bool) {
        var new = memory
        new.presets = state.presets
        if settings.abilities.needsPosition {
            let hasRested = restsSince.map { clock.now() >= $0 + Self.keepAfter } ?? false
            if state.isMoving || state.isPatrolling {
                (new.isMoving, new.position) = (true, MotorPosition())
            } else if isNow || hasRested {
                (new.isMoving, new.position) = (false, state.reading.position)
            }
        }
        guard new != memory else { return }
        memory = new
        store.save(new, for: channel)
    }
}
