import ControlProtocol
import Media
import Signalling
import WebServer

/// The hand-off's pushes, as those of the control API.
struct HandOffPushes: HandOffDesk.Pushes {
    let control: any AgentControl
    /// Where the streams go, with `{channel}` and `{stream}`.
    let target: String

    func open(_ stream: HandOffDesk.Stream, patience: MediaTime) async -> HandOffDesk.Opened? {
        let target = self.target.replacing("{channel}", with: String(stream.channel))
            .replacing("{stream}", with: stream.name)
        let order = PushOpenRequest(
            channel: stream.channel, codeStream: CodeStream(rawValue: stream.name) ?? .main, target: target, async: true
        )
        guard let (push, isNew) = try? await control.openPush(order) else { return nil }
        let opened = HandOffDesk.Opened(id: push.id, isOwn: isNew)
        if await isPublished(push.id, within: patience) { return opened }
        if isNew { await close(push.id) }
        return nil
    }

    private func isPublished(_ id: String, within patience: MediaTime) async -> Bool {
        let clock = SystemMediaClock()
        let end = clock.now() + patience
        repeat {
            if await isPublishing(id) { return true }
            try? await Task.sleep(nanoseconds: 50_000_000)
        } while clock.now() < end && !Task.isCancelled
        return false
    }

    func isPublishing(_ id: String) async -> Bool { (try? await control.push(id: id))?.state == .publishing }

    func close(_ id: String) async { _ = try? await control.closePush(id: id) }
}
