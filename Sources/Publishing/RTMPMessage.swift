import NIOCore

/// A message of RTMP as the chunk stream carries it ("RTMP 1.0", 5.3 and 7.1).
package struct RTMPMessage: Sendable, Hashable {
    package enum Kind {
        package static let setChunkSize: UInt8 = 1
        package static let abort: UInt8 = 2
        package static let acknowledgement: UInt8 = 3
        package static let userControl: UInt8 = 4
        package static let windowSize: UInt8 = 5
        package static let peerBandwidth: UInt8 = 6
        package static let audio: UInt8 = 8
        package static let video: UInt8 = 9
        package static let dataAMF3: UInt8 = 15
        package static let commandAMF3: UInt8 = 17
        package static let data: UInt8 = 18
        package static let command: UInt8 = 20
        package static let aggregate: UInt8 = 22
    }

    /// User control events (7.1.7).
    package enum UserControl {
        package static let streamBegin: UInt16 = 0
        package static let ping: UInt16 = 6
        package static let pong: UInt16 = 7
    }

    /// Chunk streams that EdgeAgent writes on.
    package enum ChunkStream {
        package static let control: UInt32 = 2
        package static let command: UInt32 = 3
        package static let audio: UInt32 = 4
        package static let data: UInt32 = 5
        package static let video: UInt32 = 6
    }

    package var kind: UInt8
    package var streamID: UInt32
    /// Milliseconds.
    package var timestamp: UInt32
    package var payload: ByteBuffer

    package init(kind: UInt8, streamID: UInt32 = 0, timestamp: UInt32 = 0, payload: ByteBuffer) {
        self.kind = kind
        self.streamID = streamID
        self.timestamp = timestamp
        self.payload = payload
    }
}
