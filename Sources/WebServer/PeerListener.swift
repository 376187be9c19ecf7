import NIOCore
import PeerToPeer

/// A data channel on which the device speaks to a visitor of its own accord: each message of the channel is one.
final class PeerListener: DataChannelHandler {
    private let start: FeedbackStart
    private let channel: DataChannel
    private let loop: any EventLoop
    private var task: Task<Void, Never>?

    init(_ start: FeedbackStart, channel: DataChannel, on loop: any EventLoop) {
        self.start = start
        self.channel = channel
        self.loop = loop
    }

    func begin() {
        start.visitors.attach(start.viewer)
        channel.send(HTTPAnswer(status: 200, headers: [("Content-Type", "application/json")]))
        let own = NIOLoopBound(self, eventLoop: loop)
        let (loop, messages) = (loop, start.desk.listen(start.viewer.visitor))
        task = Task {
            // The next one is asked for when this one has been sent, so that the desk's bound holds.
            for await message in messages { try? await loop.submit { own.value.tell(message) }.get() }
        }
    }

    private func tell(_ message: String) {
        // Who does not take what is sent misses it.
        if channel.isWritable { channel.send(ByteBuffer(string: message), isText: true) }
    }

    func received(_ message: ByteBuffer, isText: Bool) {}

    func becameWritable() {}

    func closed() {
        guard let task else { return }
        task.cancel()
        self.task = nil
        start.visitors.detach(start.viewer.visitor)
    }
}
