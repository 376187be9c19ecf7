import Containers
import Streaming

/// What a segment is called, relative to its channel: `20261121/140500-main-1f0c39ab.mp4`, the day and time at which it
/// begins on the device's clock and eight digits that keep it apart from all others. Made once, never changed, also
/// where the clock turns out to have been wrong.
///
/// Only letters, digits, `-`, `.` and one `/`: viewers put names into queries as they are.
package struct SegmentName: Sendable, Hashable, CustomStringConvertible {
    package let text: String

    package static let fileExtension = ".mp4"
    static let folderLength = 8

    /// Nil for anything recording would not have made up itself.
    package init?(_ text: some StringProtocol) {
        let parts = text.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 2, Self.isFolder(parts[0]), Self.isFile(parts[1]) else { return nil }
        self.text = String(text)
    }

    init(start: Int64, stream: StreamQuality, segment: UniqueID, calendar: DayCalendar) {
        let time = calendar.timeOfDay(of: start)
        let clock = [time.hour, time.minute, time.second].map { Self.padded(String($0), 2) }.joined()
        let unique = Self.padded(String(segment.low & 0xFFFF_FFFF, radix: 16), 8)
        text =
            "\(Self.folder(of: calendar.day(of: start)))/\(clock)-\(stream.rawValue)-\(unique)\(Self.fileExtension)"
    }

    /// The folder it lies in, one for each day.
    package var folder: String { String(text.prefix(Self.folderLength)) }
    package var file: String { String(text.dropFirst(Self.folderLength + 1)) }
    package var description: String { text }

    package var stream: StreamQuality? { StreamQuality(rawValue: String(file.dropFirst(7).dropLast(13))) }

    static func folder(of day: DayCalendar.Day) -> String {
        padded(String(day.year), 4) + padded(String(day.month), 2) + padded(String(day.day), 2)
    }

    static func isFolder(_ name: some Collection<UInt8>) -> Bool {
        name.count == folderLength && name.allSatisfy(isDigit)
    }

    /// Six digits, the stream, eight hexadecimal digits.
    private static func isFile(_ name: some Collection<UInt8>) -> Bool {
        let parts = name.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 6, parts[0].allSatisfy(isDigit),
            StreamQuality(rawValue: String(decoding: parts[1], as: UTF8.self)) != nil
        else { return false }
        let end = Array(parts[2])
        return end.count == 12 && end.prefix(8).allSatisfy { isDigit($0) || (97...102).contains($0) }
            && end.suffix(4).elementsEqual(fileExtension.utf8)
    }

    private static func isDigit(_ character: UInt8) -> Bool { (48...57).contains(character) }

    private static func padded(_ digits: String, _ count: Int) -> String {
        String(repeating: "0", count: max(0, count - digits.count)) + digits
    }
}
