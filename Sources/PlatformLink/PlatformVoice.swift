import Codecs
import Containers
import Media
import NIOCore
import PlatformProtocol
import Synchronization
import Talkback

/// What a platform says, on its way to the speaker: from packets to samples. Packets come on one event loop; the session
/// may be given from any thread.
final class PlatformVoice: Sendable {
    /// Samples a second of everything but AAC.
    private static let rate = 8000

    private struct State {
        var session: TalkSession?
        var decoder: AACVoice?
        var isEnded = false
    }

    private let state = Mutex(State())

    /// The speaker is open.
    func begin(_ session: TalkSession) {
        let isEnded = state.withLock { state in
            if !state.isEnded { state.session = session }
            return state.isEnded
        }
        if isEnded { session.end(.left) }
    }

    func end() {
        let session = state.withLock { state in
            state.isEnded = true
            defer { state.session = nil }
            return state.session
        }
        session?.end(.finished)
    }

    /// What comes before the speaker is open, or in a codec that is not known, is let go.
    func take(_ packet: JT1078Reader.Packet) {
        guard packet.header.kind == .audio else { return }
        let data = Self.stripped(packet.data)
        state.withLock { state in
            guard let session = state.session else { return }
            switch packet.header.payloadType {
            case JT1078Header.Codec.g711A: session.take(samples: data.map(ALaw.decode), rate: Self.rate)
            case JT1078Header.Codec.g711U: session.take(samples: data.map(MuLaw.decode), rate: Self.rate)
            case JT1078Header.Codec.adpcm: session.take(samples: IMAADPCM.decode(data), rate: Self.rate)
            case JT1078Header.Codec.aac: Self.takeAAC(data, session, &state)
            default: break
            }
        }
    }

    private static func takeAAC(_ data: ArraySlice<UInt8>, _ session: TalkSession, _ state: inout State) {
        guard let frame = ADTS.parse(data) else { return }
        if state.decoder?.config != frame.config { state.decoder = AACVoice(frame.config) }
        guard let decoder = state.decoder else { return }
        session.take(samples: decoder.decode(ByteBuffer(bytes: frame.data)), rate: frame.config.rate)
    }

    /// Some devices' chips put four bytes in front: 00 01, the number of 16-bit words that follow, 00.
    private static func stripped(_ data: [UInt8]) -> ArraySlice<UInt8> {
        guard data.count > 4, data[0] == 0, data[1] == 1, data[3] == 0, Int(data[2]) * 2 == data.count - 4 else {
            return data[...]
        }
        return data.dropFirst(4)
    }
}

/// AAC frames in, mono samples out.
private final class AACVoice {
    let config: AudioSpecificConfig
    private var decoder: AACDecoder

    init?(_ config: AudioSpecificConfig) {
        do throws(CodecError) { decoder = try AACDecoder(config) } catch { return nil }
        self.config = config
    }

    func decode(_ frame: ByteBuffer) -> [Int16] {
        var samples: [Int16] = []
        do throws(CodecError) { try decoder.decode(frame, into: &samples) } catch { return [] }
        return samples
    }
}
