import Media
import NIOCore
import NIOPosix
import PlatformProtocol
import Publishing
import Recording
import Streaming

/// A playback to a platform: makes its feed, and turns the platform's orders into the feed's. Belongs to one event loop,
/// save for `perform`.
final class PlatformPlayback: @unchecked Sendable {
    /// From picture to picture on the way back.
    private static let backwardInterval = MediaTime.milliseconds(500)

    private let opening: PlaybackOpening
    private let loop: any EventLoop
    private let threads: PlatformPlaybackThreads
    /// Where the way back begins, from the beginning of the range.
    private let footageEnd: MediaTime
    /// As 0x9201 wants it.
    private let first: JT1078PlaybackControl?
    private var feed: PlaybackFeed?
    private var backward: RepeatedTask?
    private var backwardPosition = MediaTime.zero
    private var hasEnded = false

    /// - Parameter recordedUntil: milliseconds since 1970, UTC.
    init(
        _ opening: PlaybackOpening, request: JT1078PlaybackRequest, recordedUntil: Int64, loop: any EventLoop,
        threads: PlatformPlaybackThreads
    ) {
        self.opening = opening
        let last = min(opening.range.upperBound, recordedUntil) - 1
        footageEnd = .milliseconds(max(last - opening.range.lowerBound, 0))
        self.loop = loop
        self.threads = threads
        first =
            switch request.mode {
            case 1: JT1078PlaybackControl(channel: request.channel, command: 3, speed: request.speed)
            case 2: JT1078PlaybackControl(channel: request.channel, command: 4, speed: request.speed)
            case 3: JT1078PlaybackControl(channel: request.channel, command: 6)
            default: nil
            }
    }

    /// Nil the second time: what was read is gone, and a platform asks again.
    func makeFeed(_ sink: any FrameSink) -> (any FrameFeed)? {
        loop.preconditionInEventLoop()
        guard feed == nil, !hasEnded else { return nil }
        let feed = PlaybackFeed(opening, on: loop, threads: threads.pool, clock: threads.clock)
        self.feed = feed
        if let first, first.command == 4 {
            goBackward(Self.factor(first.speed), feed, from: footageEnd)
        } else if let first {
            carryOut(first)
        }
        feed.start(sink)
        return feed
    }

    /// From any thread.
    func perform(_ order: JT1078PlaybackControl) { loop.execute { self.carryOut(order) } }

    /// From any thread.
    func end() {
        loop.execute {
            self.hasEnded = true
            self.goForward()
            self.feed?.stop()
        }
    }

    private func carryOut(_ order: JT1078PlaybackControl) {
        guard let feed, !hasEnded else { return }
        switch order.command {
        case 0:
            goForward()
            give([.setSpeed(.normal), .resume], feed)
        case 1:
            goForward()
            give([.pause], feed)
        case 3:
            goForward()
            give([.setSpeed(Self.speed(order.speed)), .resume], feed)
        case 4: goBackward(Self.factor(order.speed), feed)
        case 5:
            guard let time = order.position.milliseconds() else { return }
            give([.seek(.milliseconds(time - opening.range.lowerBound))], feed)
        case 6:
            goForward()
            give([.setSpeed(.keyPictures(every: 1)), .resume], feed)
        default: break
        }
    }

    private func give(_ orders: [PlaybackOrder], _ feed: PlaybackFeed) {
        for order in orders { _ = feed.carryOut(order) }
    }

    private static func factor(_ speed: UInt8) -> Int { speed == 0 ? 1 : 1 << Int(min(speed, 5) - 1) }

    /// Up to four times as fast all pictures are sent, beyond that some of the key pictures.
    private static func speed(_ speed: UInt8) -> PlaybackSpeed {
        let factor = factor(speed)
        return factor <= 1 ? .normal : factor <= 4 ? .times(Double(factor)) : .keyPictures(every: factor / 4)
    }

    // MARK: Backward

    private func goForward() {
        backward?.cancel()
        backward = nil
    }

    /// A jump back for each picture.
    /// - Parameter start: shown first; nil goes back from where it is.
    private func goBackward(_ factor: Int, _ feed: PlaybackFeed, from start: MediaTime? = nil) {
        goForward()
        guard let progress = feed.carryOut(.report) else { return }
        backwardPosition = start ?? progress.position
        give([.setSpeed(.still)] + (start.map { [.seek($0)] } ?? []) + [.resume], feed)
        let step = Self.backwardInterval * Int64(factor)
        let interval = TimeAmount.nanoseconds(Self.backwardInterval.nanoseconds)
        backward = loop.scheduleRepeatedTask(initialDelay: start == nil ? .zero : interval, delay: interval) {
            [weak self] _ in
            self?.stepBack(by: step)
        }
    }

    private func stepBack(by step: MediaTime) {
        guard let feed, !hasEnded else { return }
        backwardPosition = backwardPosition - step
        guard backwardPosition > .zero else {
            // At the beginning.
            goForward()
            return feed.stop()
        }
        _ = feed.carryOut(.seek(backwardPosition))
    }
}

/// What playbacks read with.
struct PlatformPlaybackThreads: Sendable {
    let pool: NIOThreadPool
    let clock: any MediaClock
}
