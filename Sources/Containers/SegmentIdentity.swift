import Media
import NIOCore

/// Who recorded a file and when: a `uuid` box at its head, in sight before and after the file is closed, so that a file
/// without a row in the index can be given one.
package struct SegmentIdentity: Sendable, Hashable {
    package var segment: UniqueID
    /// The boot whose monotonic clock `start` is of.
    package var boot: UniqueID
    /// At most 64 bytes.
    package var device: String
    /// 0 to 65535.
    package var channel: Int
    /// At most 16 bytes, such as "main".
    package var stream: String
    /// The recording's type in the request grammar, 0 to 65535.
    package var kind: Int
    /// The file's time 0 on the monotonic clock.
    package var start: MediaTime
    /// The same moment on the wall clock: milliseconds since 1970, UTC.
    package var utcStart: Int64
    /// False where the wall clock was not set yet.
    package var isClockTrusted: Bool

    package init(
        segment: UniqueID, boot: UniqueID, device: String, channel: Int, stream: String, kind: Int = 0,
        start: MediaTime, utcStart: Int64, isClockTrusted: Bool = true
    ) {
        self.segment = segment
        self.boot = boot
        self.device = device
        self.channel = channel
        self.stream = stream
        self.kind = kind
        self.start = start
        self.utcStart = utcStart
        self.isClockTrusted = isClockTrusted
    }

    package static let maximumDeviceLength = 64
    package static let maximumStreamLength = 16

    static let boxType = UniqueID(high: 0x9B1D_6C5E_07A2_4F38, low: 0xA4C1_5D27_E89B_3F60)
    /// The whole box, with room for later fields.
    static let maximumBoxLength = 1024
    private static let clockTrusted: UInt32 = 1

    /// Times that can be added to others without a thought: 146 years of a running machine, the year 9999.
    private static let starts = MediaTime.zero...MediaTime(nanoseconds: 1 << 62)
    private static let utcStarts: ClosedRange<Int64> = 0...253_402_300_799_999

    var isValid: Bool {
        UInt16(exactly: channel) != nil && UInt16(exactly: kind) != nil && Self.starts.contains(start)
            && Self.utcStarts.contains(utcStart) && device.utf8.count <= Self.maximumDeviceLength
            && stream.utf8.count <= Self.maximumStreamLength
    }

    func write(to buffer: inout ByteBuffer) {
        buffer.writeBox(Self.boxType) {
            $0.writeMultipleIntegers(
                isClockTrusted ? Self.clockTrusted : 0, segment.high, segment.low, boot.high, boot.low, utcStart,
                start.nanoseconds, UInt16(clamping: channel), UInt16(clamping: kind))
            for text in [stream, device] {
                $0.writeInteger(UInt8(clamping: text.utf8.count))
                $0.writeString(text)
            }
        }
    }

    /// Reads what follows the box's type. Nil where it breaks off, makes no sense or is of a later version.
    init?(body: ByteBuffer) {
        var body = body
        guard
            let (flags, high, low, bootHigh, bootLow, utc, start, channel, kind) = body.readMultipleIntegers(
                as: (UInt32, UInt64, UInt64, UInt64, UInt64, Int64, Int64, UInt16, UInt16).self),
            flags >> 24 == 0, let stream = Self.readText(&body), let device = Self.readText(&body)
        else { return nil }
        self.init(
            segment: UniqueID(high: high, low: low), boot: UniqueID(high: bootHigh, low: bootLow), device: device,
            channel: Int(channel), stream: stream, kind: Int(kind), start: MediaTime(nanoseconds: start),
            utcStart: utc, isClockTrusted: flags & Self.clockTrusted != 0)
        guard isValid else { return nil }
    }

    private static func readText(_ body: inout ByteBuffer) -> String? {
        guard let length: UInt8 = body.readInteger() else { return nil }
        return body.readString(length: Int(length))
    }
}
