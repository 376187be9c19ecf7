import Media
import NIOCore
import PlatformProtocol

/// Cuts a stream's frames into JT/T 1078 packets. Pure; one for each connection, whose packets it numbers.
package struct JT1078Packetizer: Sendable {
    private let sim: [UInt8]
    private let channel: UInt8
    private var sequence: UInt16 = 0
    private var lastKeyFrame: UInt64?
    private var lastFrame: UInt64?

    package static let startCode: [UInt8] = [0, 0, 0, 1]

    package init(_ stream: JT1078Stream) {
        sim = stream.sim.bcd(stream.simLength)
        channel = stream.channel
    }

    /// Bytes before the data of a packet with pictures.
    package var videoHeaderLength: Int { JT1078Header.length(of: .keyFrame, simLength: sim.count) }

    /// A picture.
    ///
    /// - Parameters:
    ///   - frame: NAL units, each behind its length in four bytes; what is cut off at the end is left out.
    ///   - format: of a key picture; its parameter sets go first.
    ///   - time: milliseconds.
    ///   - out: packet behind packet; each but the last is full.
    package mutating func writeVideo(
        _ frame: ByteBuffer, key format: VideoFormat?, time: UInt64, to out: inout ByteBuffer
    ) {
        var kind = JT1078Header.Kind.predicted
        var sinceKeyFrame = lastKeyFrame.map { time &- $0 } ?? 0
        if format != nil { (kind, sinceKeyFrame) = (.keyFrame, 0) }
        let header = JT1078Header(
            payloadType: JT1078Header.Codec.h264, sequence: 0, sim: sim, channel: channel, kind: kind, split: .whole,
            timestamp: time, sinceKeyFrame: UInt16(clamping: sinceKeyFrame),
            sinceFrame: UInt16(clamping: lastFrame.map { time &- $0 } ?? 0), dataLength: 0)
        if format != nil { lastKeyFrame = time }
        lastFrame = time

        let sets = format.map { [$0.sps, $0.pps] } ?? []
        let setBytes = sets.reduce(0) { $0 + Self.startCode.count + $1.count }
        var pieces = PieceWriter(
            header: header, total: setBytes + Self.wholeUnits(frame), sequence: sequence)
        out.reserveCapacity(minimumWritableBytes: pieces.bytes)
        for set in sets {
            pieces.write(ByteBuffer(bytes: Self.startCode), to: &out)
            pieces.write(ByteBuffer(bytes: set), to: &out)
        }
        var rest = frame
        let startCode = ByteBuffer(bytes: Self.startCode)
        while let length = rest.readInteger(as: UInt32.self), let unit = rest.readSlice(length: Int(length)) {
            pieces.write(startCode, to: &out)
            pieces.write(unit, to: &out)
        }
        sequence = pieces.sequence
    }

    /// Lengths and units up to the last one that is whole. A start code is as long as a length.
    private static func wholeUnits(_ frame: ByteBuffer) -> Int {
        var rest = frame
        var bytes = 0
        while let length = rest.readInteger(as: UInt32.self), rest.readSlice(length: Int(length)) != nil {
            bytes += startCode.count + Int(length)
        }
        return bytes
    }

    /// Sound that fits one packet; what is longer is cut off.
    package mutating func writeAudio(
        _ data: ByteBuffer, payloadType: UInt8, time: UInt64, to out: inout ByteBuffer
    ) {
        let count = min(data.readableBytes, JT1078Header.maximumData)
        let header = JT1078Header(
            payloadType: payloadType, sequence: sequence, sim: sim, channel: channel, kind: .audio, split: .whole,
            timestamp: time, dataLength: count)
        sequence &+= 1
        header.write(to: &out)
        out.writeImmutableBuffer(data.getSlice(at: data.readerIndex, length: count) ?? data)
    }
}

/// Lays a frame's bytes into packets, one behind the other.
private struct PieceWriter {
    private var header: JT1078Header
    private(set) var sequence: UInt16
    /// Of the frame, and of the piece under way.
    private var left: Int
    private var leftInPiece = 0
    private var isFirst = true

    init(header: JT1078Header, total: Int, sequence: UInt16) {
        self.header = header
        left = total
        self.sequence = sequence
    }

    /// Of all packets.
    var bytes: Int {
        let pieces = (left + JT1078Header.maximumData - 1) / JT1078Header.maximumData
        return left + pieces * header.length
    }

    mutating func write(_ bytes: ByteBuffer, to out: inout ByteBuffer) {
        var bytes = bytes
        while bytes.readableBytes > 0 {
            if leftInPiece == 0 { begin(&out) }
            guard let part = bytes.readSlice(length: min(leftInPiece, bytes.readableBytes)), part.readableBytes > 0
            else { return }
            out.writeImmutableBuffer(part)
            leftInPiece -= part.readableBytes
            left -= part.readableBytes
        }
    }

    private mutating func begin(_ out: inout ByteBuffer) {
        leftInPiece = min(left, JT1078Header.maximumData)
        let isLast = left <= JT1078Header.maximumData
        header.split = isFirst ? (isLast ? .whole : .first) : (isLast ? .last : .middle)
        header.isMarked = isLast
        header.sequence = sequence
        header.dataLength = leftInPiece
        header.write(to: &out)
        sequence &+= 1
        isFirst = false
    }
}

extension ByteBuffer: JT1078Sink {
    package mutating func put(_ value: some FixedWidthInteger & UnsignedInteger) { writeInteger(value) }
    package mutating func put(_ bytes: [UInt8]) { writeBytes(bytes) }
}
