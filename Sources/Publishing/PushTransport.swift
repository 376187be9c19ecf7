import Containers
import Media
import NIOCore
import Streaming

/// What a transport tells the link it works for. All on the link's event loop.
protocol PushTransportDelegate: AnyObject {
    /// The service takes the stream.
    func transportAccepted()
    func transportWantsAnotherConnection(_ authentication: RTMPAuthentication)
    /// The last thing that is heard of the transport, apart from `transportClosed`.
    func transportFailed(_ failure: LinkFailure)
    /// The first frame that decoding can start at is with the kernel.
    func transportSentFirstFrame()
    func transportBecameWritable()
    /// The hub is gone.
    func transportStreamEnded()
    /// The connection is closed.
    func transportClosed()
}

/// What the ways to publish have in common: a connection that is always read, counts what it sends, has deadlines, and
/// says farewell. Belongs to one event loop; everything is called there.
class PushTransport {
    weak var delegate: (any PushTransportDelegate)?
    let target: PushTarget
    let settings: PublishingSettings
    let clock: any MediaClock
    fileprivate(set) var meter = WriteMeter()
    private(set) var context: ChannelHandlerContext?
    private(set) var isFinished = false
    private var awaitsFirstFrame = true
    private var deadline: Scheduled<Void>?
    private var lingering: Scheduled<Void>?
    private var writeError: (any Error)?

    init(target: PushTarget, settings: PublishingSettings, clock: any MediaClock) {
        self.target = target
        self.settings = settings
        self.clock = clock
    }

    /// The channel's own marks; see `PushLink`.
    var isWritable: Bool { context?.channel.isWritable ?? false }

    func flush() { context?.flush() }

    func streamEnded() { delegate?.transportStreamEnded() }

    // MARK: Pipeline

    func attach(_ context: ChannelHandlerContext) { self.context = context }

    func detach() {
        deadline?.cancel()
        lingering?.cancel()
        context = nil
    }

    func setDeadline(_ time: MediaTime?, _ passed: @escaping () -> Void) {
        deadline?.cancel()
        deadline = nil
        guard let time, let loop = context?.eventLoop else { return }
        let passed = NIOLoopBound(passed, eventLoop: loop)
        deadline = loop.scheduleTask(in: .nanoseconds(time.nanoseconds)) { passed.value() }
    }

    /// Once only, and never after a farewell.
    func fail(_ failure: LinkFailure) {
        guard !isFinished else { return }
        isFinished = true
        setDeadline(nil) {}
        delegate?.transportFailed(failure)
        context?.close(promise: nil)
    }

    /// Another connection takes this one's place.
    func abandon() {
        isFinished = true
        setDeadline(nil) {}
        context?.close(promise: nil)
    }

    /// Nothing but closing comes after this; `closeTimeout` ends it in any case.
    func beginFarewell() -> Bool {
        guard !isFinished else { return false }
        isFinished = true
        setDeadline(nil) {}
        guard let context else { return false }
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        lingering = context.eventLoop.scheduleTask(in: .nanoseconds(settings.closeTimeout.nanoseconds)) {
            bound.value.context?.close(promise: nil)
        }
        return true
    }

    /// Why the connection ended, as far as the transport knows; nil where the service closed it in order.
    func endingFailure(_ error: (any Error)? = nil) -> LinkFailure? {
        (error ?? writeError).map { LinkFailure($0, place: target.redacted) }
    }

    // MARK: Writing

    /// Writes one part of the stream and watches it go.
    func writeMetered(_ data: NIOAny, bytes: Int, completesFirstFrame: Bool = false) {
        guard let context else { return }
        meter.submitted(bytes, now: clock.now())
        let promise = context.eventLoop.makePromise(of: Void.self)
        let bound = NIOLoopBound(self, eventLoop: context.eventLoop)
        promise.futureResult.whenComplete { result in
            bound.value.written(result, completesFirstFrame: completesFirstFrame)
        }
        context.write(data, promise: promise)
    }

    private func written(_ result: Result<Void, any Error>, completesFirstFrame: Bool) {
        switch result {
        case .success:
            meter.completed(now: clock.now())
            if completesFirstFrame, !isFinished { delegate?.transportSentFirstFrame() }
        case .failure(let error):
            // What the kernel said; channel errors only follow from that.
            if writeError == nil, error is IOError { writeError = error }
        }
    }

    /// True once: for the frame that a player could start with.
    func isFirstFrame(_ frame: StreamFrame) -> Bool {
        // The subscription starts a stream with pictures at a key picture.
        guard awaitsFirstFrame else { return false }
        awaitsFirstFrame = false
        return true
    }
}
