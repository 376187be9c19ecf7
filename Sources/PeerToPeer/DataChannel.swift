import NIOCore

/// Told what happens on a data channel; on the peer loop.
package protocol DataChannelHandler: AnyObject {
    func received(_ message: ByteBuffer, isText: Bool)
    /// `DataChannel.isWritable` has turned true.
    func becameWritable()
    /// By whichever side, or with the link. Nothing follows.
    func closed()
}

/// Messages both ways, in order, next to others on the same link (RFC 8831). Belongs to the peer loop.
package final class DataChannel {
    package let stream: UInt16
    package let label: String
    package let opening: ChannelOpening
    package private(set) weak var link: PeerLink?
    package var handler: (any DataChannelHandler)?
    /// Leaves room for others: pauses at the link's warning mark.
    package var isBulk = false
    /// Bytes given to `send`.
    package private(set) var bytesSent = 0

    /// Messages that SCTP had no room for.
    private var pending: [(message: ByteBuffer, kind: PayloadKind)] = []
    private(set) var pendingBytes = 0
    private var wasFull = false
    private(set) var isClosing = false
    /// Whether the link has closed this side.
    var isReset = false
    let openedAt: NIODeadline
    private var isClosed = false

    /// Of a message, so that none holds up other channels for long; less where the peer takes less (RFC 8841, 6.1).
    package let messageBytes: Int
    static let messageBytes = 16 << 10
    /// Of a message that belongs together, such as a picture; as above.
    package let maximumMessageBytes: Int
    static let maximumMessageBytes = 32 << 10

    init(stream: UInt16, opening: ChannelOpening, link: PeerLink) {
        self.stream = stream
        self.opening = opening
        label = opening.label
        self.link = link
        messageBytes = link.messageBytes
        maximumMessageBytes = link.maximumMessageBytes
        openedAt = link.eventLoop.now
    }

    /// Bytes that were given to `send`, or the link as a whole, and did not reach the peer yet.
    package var waitingBytes: Int { pendingBytes + (link?.bufferedBytes ?? 0) }

    /// False while the link holds as much as it should, until it has drained to its low mark. `becameWritable` tells.
    package var isWritable: Bool {
        guard !isClosing, !isClosed, let link else { return false }
        if pendingBytes > 0 || link.bufferedBytes >= (isBulk ? link.marks.warn : link.marks.high) { wasFull = true }
        return !wasFull
    }

    /// One message. What there is no room for waits here; whoever looks at `isWritable` before has little waiting.
    package func send(_ message: ByteBuffer, isText: Bool = false) {
        guard !isClosing, !isClosed else { return }
        bytesSent += message.readableBytes
        let kind: PayloadKind = isText ? .text : .binary
        guard message.readableBytes > 0 else {
            return enqueue(ByteBuffer(bytes: [0]), isText ? .emptyText : .emptyBinary)
        }
        enqueue(message, kind)
    }

    /// A message straight from memory where there is room, else a copy of it waits. At most `maximumMessageBytes`.
    package func send(_ message: UnsafeRawBufferPointer) {
        guard !isClosing, !isClosed, let link else { return }
        bytesSent += message.count
        if pending.isEmpty, link.send(message, kind: .binary, on: self) { return }
        keep(ByteBuffer(bytes: message), .binary)
    }

    private func enqueue(_ message: ByteBuffer, _ kind: PayloadKind) {
        let isSent = pending.isEmpty && message.withUnsafeReadableBytes { link?.send($0, kind: kind, on: self) ?? true }
        if !isSent { keep(message, kind) }
    }

    private func keep(_ message: ByteBuffer, _ kind: PayloadKind) {
        pending.append((message, kind))
        pendingBytes += message.readableBytes
        wasFull = true
    }

    /// Ends the channel, behind everything sent.
    package func close() {
        guard !isClosing, !isClosed else { return }
        isClosing = true
        if pending.isEmpty { link?.reset(self) }
    }

    // MARK: From the link

    /// There may be room again.
    func pump() {
        var sent = 0
        while sent < pending.count, let link {
            let (message, kind) = pending[sent]
            guard message.withUnsafeReadableBytes({ link.send($0, kind: kind, on: self) }) else { break }
            pendingBytes -= message.readableBytes
            sent += 1
        }
        pending.removeFirst(sent)
        guard pending.isEmpty, let link else { return }
        if isClosing {
            if sent > 0 { link.reset(self) }
        } else if wasFull, link.bufferedBytes <= link.marks.low {
            wasFull = false
            handler?.becameWritable()
        }
    }

    func received(_ message: ByteBuffer, isText: Bool) {
        guard !isClosing, !isClosed else { return }
        handler?.received(message, isText: isText)
    }

    func end() {
        guard !isClosed else { return }
        isClosed = true
        pending = []
        pendingBytes = 0
        // Let go of, since the two hold each other.
        let handler = handler
        self.handler = nil
        handler?.closed()
    }
}
