import Codecs
import Containers
import Media
import NIOCore
import PlatformProtocol

/// Turns AAC frames into what a platform wants to hear. Belongs to one event loop.
protocol JT1078Sound {
    mutating func setFormat(_ format: AudioFormat)
    /// - Parameter give: a packet's data, its payload type, and how many milliseconds later than the frame it begins.
    mutating func encode(_ frame: ByteBuffer, _ give: (ByteBuffer, UInt8, Int64) -> Void)
}

/// AAC as it is, each frame behind a header of its own.
struct ADTSSound: JT1078Sound {
    private var config: AudioSpecificConfig?

    mutating func setFormat(_ format: AudioFormat) {
        config = AudioSpecificConfig(rate: format.rate, channels: format.channels)
    }

    mutating func encode(_ frame: ByteBuffer, _ give: (ByteBuffer, UInt8, Int64) -> Void) {
        guard let config, let header = ADTS.header(config, frameBytes: frame.readableBytes) else { return }
        var data = ByteBuffer()
        data.reserveCapacity(header.count + frame.readableBytes)
        data.writeBytes(header)
        data.writeImmutableBuffer(frame)
        give(data, JT1078Header.Codec.aac, 0)
    }
}

/// A-law, 8 kHz, mono. The streams' sound is AAC, so that it is decoded here: a fraction of a millisecond for each frame,
/// which the event loop can spare.
struct ALawSound: JT1078Sound {
    /// 40 ms.
    static let samplesPerPacket = 320

    private var decoder: VoiceDecoder?
    private var format: AudioFormat?
    private var waiting: [Int16] = []

    mutating func setFormat(_ format: AudioFormat) {
        guard format != self.format else { return }
        self.format = format
        decoder = VoiceDecoder(format, rate: ALaw.rate)
        waiting = []
    }

    mutating func encode(_ frame: ByteBuffer, _ give: (ByteBuffer, UInt8, Int64) -> Void) {
        guard let decoder else { return }
        let before = waiting.count
        decoder.decode(frame, into: &waiting)
        // What waited from the former frame began that much earlier.
        var offset = -Int64(before) * 1000 / Int64(ALaw.rate)
        while waiting.count >= Self.samplesPerPacket {
            let data = ByteBuffer(bytes: waiting.prefix(Self.samplesPerPacket).map(ALaw.encode))
            waiting.removeFirst(Self.samplesPerPacket)
            give(data, JT1078Header.Codec.g711A, offset)
            offset += Int64(Self.samplesPerPacket) * 1000 / Int64(ALaw.rate)
        }
    }
}

/// AAC frames in, mono samples of another rate out. After a broken frame it goes on with the next one.
final class VoiceDecoder {
    private var decoder: AACDecoder
    private var converter: RateConverter?

    /// Nil for a format that the decoder does not take.
    init?(_ format: AudioFormat, rate: Int) {
        guard let config = AudioSpecificConfig(rate: format.rate, channels: format.channels) else { return nil }
        do throws(CodecError) {
            let decoder = try AACDecoder(config)
            let converter = decoder.rate == rate ? nil : try RateConverter(from: decoder.rate, to: rate)
            self.decoder = decoder
            self.converter = converter
        } catch {
            return nil
        }
    }

    func decode(_ frame: ByteBuffer, into samples: inout [Int16]) {
        var decoded: [Int16] = []
        do throws(CodecError) { try decoder.decode(frame, into: &decoded) } catch { return }
        if converter == nil { samples += decoded } else { converter?.convert(decoded, into: &samples) }
    }
}
