/// What stands in front of each piece of media.
package struct JT1078Header: Sendable, Hashable {
    package enum Kind: UInt8, Sendable, Hashable {
        case keyFrame = 0
        case predicted = 1
        case bidirectional = 2
        case audio = 3
        case passThrough = 4

        package var isVideo: Bool { rawValue <= 2 }
    }

    package enum Split: UInt8, Sendable, Hashable {
        case whole = 0
        case first = 1
        case last = 2
        case middle = 3
    }

    /// Codec codes; see `payloadType`.
    package enum Codec {
        package static let g711A: UInt8 = 6
        package static let g711U: UInt8 = 7
        package static let aac: UInt8 = 19
        package static let adpcm: UInt8 = 26
        package static let passThrough: UInt8 = 91
        package static let h264: UInt8 = 98
        package static let h265: UInt8 = 99
    }

    /// "01cd".
    package static let marker: [UInt8] = [0x30, 0x31, 0x63, 0x64]
    /// Version 2, no padding, no extension, one source.
    package static let usualFlags: UInt8 = 0x81
    /// Data bytes of a packet that one sends.
    package static let maximumData = 950
    /// Data bytes of a packet that one takes.
    package static let maximumReceivedData = 8192

    package var flags: UInt8
    /// The packet ends a frame.
    package var isMarked: Bool
    package var payloadType: UInt8
    package var sequence: UInt16
    /// Six or ten bytes, BCD.
    package var sim: [UInt8]
    package var channel: UInt8
    package var kind: Kind
    package var split: Split
    /// Milliseconds; 0 of pass-through.
    package var timestamp: UInt64
    /// Milliseconds; only of pictures.
    package var sinceKeyFrame: UInt16
    package var sinceFrame: UInt16
    package var dataLength: Int

    package init(
        payloadType: UInt8, sequence: UInt16, sim: [UInt8], channel: UInt8, kind: Kind, split: Split,
        timestamp: UInt64, sinceKeyFrame: UInt16 = 0, sinceFrame: UInt16 = 0, dataLength: Int
    ) {
        flags = Self.usualFlags
        isMarked = split == .whole || split == .last
        self.payloadType = payloadType
        self.sequence = sequence
        self.sim = sim
        self.channel = channel
        self.kind = kind
        self.split = split
        self.timestamp = timestamp
        self.sinceKeyFrame = sinceKeyFrame
        self.sinceFrame = sinceFrame
        self.dataLength = dataLength
    }

    package static func length(of kind: Kind, simLength: Int) -> Int {
        switch kind {
        case .keyFrame, .predicted, .bidirectional: 24 + simLength
        case .audio: 20 + simLength
        case .passThrough: 12 + simLength
        }
    }

    /// Bytes before the data.
    package var length: Int { Self.length(of: kind, simLength: sim.count) }

    package func write(to sink: inout some JT1078Sink) {
        sink.put(Self.marker)
        sink.put(flags)
        sink.put((isMarked ? 0x80 : 0) | payloadType & 0x7F)
        sink.put(sequence)
        sink.put(sim)
        sink.put(channel)
        sink.put(kind.rawValue << 4 | split.rawValue)
        if kind != .passThrough { sink.put(timestamp) }
        if kind.isVideo {
            sink.put(sinceKeyFrame)
            sink.put(sinceFrame)
        }
        sink.put(UInt16(clamping: dataLength))
    }

    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    /// Nil where the bytes are no header, or not all of it.
    package init?(_ bytes: ArraySlice<UInt8>, simLength: Int) {
        guard bytes.starts(with: Self.marker) else { return nil }
        var reader = JT808Reader(bytes.dropFirst(Self.marker.count).prefix(40), version: .v2013)
        do throws(JT808Error) {
            flags = try reader.byte("flags")
            let mark = try reader.byte("payload type")
            isMarked = mark & 0x80 != 0
            payloadType = mark & 0x7F
            sequence = try reader.word("sequence")
            sim = try reader.bytes(simLength, "sim")
            channel = try reader.byte("channel")
            let types = try reader.byte("types")
            guard let kind = Kind(rawValue: types >> 4), let split = Split(rawValue: types & 15) else { return nil }
            self.kind = kind
            self.split = split
            timestamp = kind == .passThrough ? 0 : try reader.integer("time stamp")
            sinceKeyFrame = kind.isVideo ? try reader.word("since key frame") : 0
            sinceFrame = kind.isVideo ? try reader.word("since frame") : 0
            dataLength = Int(try reader.word("length"))
        } catch {
            return nil
        }
    }
}

/// Where headers are written, without a detour over an array.
package protocol JT1078Sink {
    /// Big-endian.
    mutating func put(_ value: some FixedWidthInteger & UnsignedInteger)
    mutating func put(_ bytes: [UInt8])
}

extension [UInt8]: JT1078Sink {
    package mutating func put(_ value: some FixedWidthInteger & UnsignedInteger) {
        Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
    }

    package mutating func put(_ bytes: [UInt8]) { append(contentsOf: bytes) }
}
