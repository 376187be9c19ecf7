import ControlProtocol
import Media
import Motion
import Synchronization
import WebServer

/// Answers the control API about heads that turn.
final class MotionControlService: MotionControl {
    private let heads: HeadSet
    private let nextHolder = Mutex(firstHolder)

    /// Holders of the control API count up from here; visitors have the numbers below.
    private static let firstHolder: UInt64 = 1 << 63
    /// Of all orders that no request holds.
    private static let shared = MotionHolder(rawValue: firstHolder)

    /// A held press is renewed so many times within its time limit.
    private static let renewals: Int64 = 3

    init(heads: HeadSet) { self.heads = heads }

    func head(channel: Int) async throws(ControlError) -> HeadReport { HeadReport(try find(channel).report) }

    func perform(channel: Int, _ order: PTZOrder) async throws(ControlError) -> HeadReport {
        let head = try find(channel)
        let command = try PTZCommand(order)
        do throws(PTZRefusal) {
            if case .press = command, order.hold ?? true {
                return HeadReport(try await hold(command, order.seconds, head))
            }
            return HeadReport(try await head.perform(command, for: Self.shared))
        } catch {
            throw ControlError(error)
        }
    }

    private func find(_ channel: Int) throws(ControlError) -> PTZHead {
        guard let head = heads.head(channel) else {
            throw .notFound("channel \(channel) has no head that turns; see channels[].ptz of the configuration")
        }
        return head
    }

    private func newHolder() -> MotionHolder {
        nextHolder.withLock { number in
            number += 1
            return MotionHolder(rawValue: number)
        }
    }

    /// Until its time is over, the motion ends in another way, or whoever asked is gone.
    private func hold(_ command: PTZCommand, _ seconds: Double?, _ head: PTZHead) async throws(PTZRefusal) -> PTZReport
    {
        let holder = newHolder()
        let clock = SystemMediaClock()
        let end = clock.now() + .milliseconds(Int64((seconds ?? PTZOrder.maximumSeconds) * 1000))
        let interval = head.settings.head.timeLimit.nanoseconds / Self.renewals
        var report = try await head.perform(command, for: holder)
        defer { head.lost(holder) }
        while report.isMoving, clock.now() < end, !Task.isCancelled {
            try? await Task.sleep(nanoseconds: UInt64(min(max((end - clock.now()).nanoseconds, 0), interval)))
            // Somebody else's command came, or the head is at an end: this press is over.
            guard let renewed = try? await head.perform(.renew, for: holder) else { return head.report }
            report = renewed
        }
        head.lost(holder)
        return await settled(head)
    }

    /// What is told is the head at rest, as far as it comes to rest soon.
    private func settled(_ head: PTZHead) async -> PTZReport {
        let clock = SystemMediaClock()
        let end = clock.now() + PTZHead.stopTimeout
        while head.report.isMoving, clock.now() < end, !Task.isCancelled {
            try? await Task.sleep(nanoseconds: 10_000_000)
        }
        return head.report
    }
}

extension PTZCommand {
    init(_ order: PTZOrder) throws(ControlError) {
        let directions = (order.directions ?? []).map(PTZDirection.init)
        func number() throws(ControlError) -> Int {
            guard let number = order.number else { throw .badRequest("\(order.command.rawValue) needs a number") }
            return number
        }
        switch order.command {
        case .press: self = .press(directions, speed: order.speed ?? 1)
        case .stop: self = .release
        case .step:
            guard let direction = directions.first else { throw .badRequest("step needs a direction") }
            self = .step(direction)
        case .go: self = .go(pan: order.pan, tilt: order.tilt, zoom: order.zoom)
        case .home: self = .home
        case .callPreset: self = .callPreset(try number())
        case .setPreset: self = .setPreset(try number())
        case .clearPreset: self = .clearPreset(try number())
        case .startPatrol: self = .startPatrol(order.presets)
        case .stopPatrol: self = .stopPatrol
        case .auxiliary: self = .auxiliary(try number(), isOn: order.on ?? true)
        }
    }
}

extension PTZDirection {
    init(_ direction: PTZOrder.Direction) {
        self =
            switch direction {
            case .up: .up
            case .down: .down
            case .left: .left
            case .right: .right
            case .zoomIn: .zoomIn
            case .zoomOut: .zoomOut
            case .focusNear: .focusNear
            case .focusFar: .focusFar
            case .irisOpen: .irisOpen
            case .irisClose: .irisClose
            }
    }
}

extension HeadReport {
    init(_ report: PTZReport) {
        self.init(
            driver: report.driver, pan: report.pan, tilt: report.tilt, zoom: report.zoom,
            limits: report.limits.map {
                Limits(minPan: $0.minPan, maxPan: $0.maxPan, minTilt: $0.minTilt, maxTilt: $0.maxTilt)
            }, moving: report.isMoving, atEnd: report.isAtEnd, patrolling: report.isPatrolling,
            presets: report.presets, moves: report.counters.moves,
            stops: Dictionary(uniqueKeysWithValues: report.counters.stops.map { ($0.rawValue, $1) }),
            faults: report.counters.faults, fault: report.fault,
            jitter: report.jitter.map { Jitter(steps: $0.steps, p50: $0.p50, p99: $0.p99, maximum: $0.maximum) })
    }
}

extension ControlError {
    init(_ refusal: PTZRefusal) {
        self =
            switch refusal {
            case .badCommand, .unsupported: .badRequest("\(refusal)")
            case .noSuchPreset: .notFound("\(refusal)")
            case .positionUnknown: ControlError(status: 409, code: "positionUnknown", message: "\(refusal)")
            case .overtaken: ControlError(status: 409, code: "overtaken", message: "\(refusal)")
            case .unavailable: ControlError(status: 503, code: "unavailable", message: "\(refusal)")
            case .closed: ControlError(status: 503, code: "shutdown", message: "\(refusal)")
            }
    }
}
