import ControlProtocol
import Streaming
import Synchronization

/// Numbers events and passes them on to all who listen. Any thread.
final class EventHub: Sendable {
    private let nextID = Mutex<UInt64>(1)
    private let listeners = Broadcast<EventReport>()

    func publish(
        _ event: String, channel: Int? = nil, device: String? = nil, detail: String? = nil, visitor: Int64? = nil,
        push: PushReport? = nil, platform: String? = nil
    ) {
        // Sent under the lock, so that they arrive in the order of their numbers.
        nextID.withLock { id in
            listeners.send(
                EventReport(
                    id: id, event: event, channel: channel, device: device, detail: detail, visitor: visitor,
                    push: push, platform: platform))
            id += 1
        }
    }

    /// What happens from now on.
    func listen() -> AsyncStream<EventReport> { listeners.listen() }

    func close() { listeners.finish() }
}
