import Media
import NIOCore

/// A piece of sound out of a talk's body.
package enum TalkPiece: Sendable {
    /// Mono samples.
    case samples([Int16], rate: Int)
    /// How the frames that follow are coded.
    case configuration(AudioSpecificConfig)
    /// One AAC frame and its time in milliseconds.
    case frame(ByteBuffer, time: UInt32)

    /// What it takes in memory.
    var bytes: Int {
        switch self {
        case .samples(let samples, _): 2 * samples.count
        case .configuration: 0
        case .frame(let data, _): data.readableBytes
        }
    }
}
