import ControlProtocol
import NIOCore
import PeerToPeer
import Talkback

/// A data channel on which somebody talks: its messages, joined, are the body of `POST /voice`. The answer's head says that
/// the speaker is open; how it went follows as JSON, where the device ends the talk. Lives on the peer loop.
final class PeerVoice: DataChannelHandler {
    private let channel: DataChannel
    private let loop: any EventLoop
    private var intake: VoiceIntake?

    init(_ channel: DataChannel, on loop: any EventLoop) {
        self.channel = channel
        self.loop = loop
    }

    func begin(_ start: VoiceStart) {
        switch start {
        case .refused(let answer): end(with: answer)
        case .talk(let slot, let holder, let seat, let pcmRate):
            let own = NIOLoopBound(self, eventLoop: loop)
            intake = VoiceIntake(
                slot, by: holder, seat: seat, pcmRate: pcmRate, source: channel.link?.remote ?? "", on: loop
            ) { event in own.value.happened(event) }
        }
    }

    private func happened(_ event: VoiceIntake.Event) {
        switch event {
        case .opened: channel.send(.talk(isChunked: false))
        case .refused(let refusal): end(with: .talkRefused(refusal))
        case .ended(let report):
            channel.send(ByteBuffer(bytes: ControlCoding.encode(report)))
            end()
        }
    }

    private func end(with answer: HTTPAnswer) {
        channel.send(answer)
        end()
    }

    private func end() {
        intake?.leave()
        intake = nil
        channel.close()
    }

    // MARK: The channel

    func received(_ message: ByteBuffer, isText: Bool) { if !isText { intake?.take(message) } }

    func becameWritable() {}

    /// What came is still heard; then the talk ends by itself.
    func closed() { intake?.finish() }
}
