import Glibc
import Media
import Signalling

/// Reads answers that must come in time and be no longer than `IntegratorHook.maximumAnswerBytes`. Blocks.
enum DeadlineReader {
    /// Up to the end of the file.
    static func readAll(_ file: Int32, until deadline: MediaTime) throws(HookFailure) -> [UInt8] {
        try read(file, until: deadline) { _ in false }
    }

    /// Up to the end of the first line, or of the file.
    static func readLine(_ file: Int32, until deadline: MediaTime) throws(HookFailure) -> [UInt8] {
        try read(file, until: deadline) { $0.contains(UInt8(ascii: "\n")) }
    }

    private static func read(
        _ file: Int32, until deadline: MediaTime, isEnough: (ArraySlice<UInt8>) -> Bool
    ) throws(HookFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while true {
            guard wait(file, Int16(POLLIN), until: deadline) else { throw HookFailure("no answer in time") }
            let count = Glibc.read(file, &piece, piece.count)
            if count < 0, errno == EINTR || errno == EAGAIN { continue }
            guard count >= 0 else { throw HookFailure("reading: \(String(cString: strerror(errno)))") }
            bytes += piece[..<count]
            guard bytes.count <= IntegratorHook.maximumAnswerBytes else {
                throw HookFailure("the answer has more than \(IntegratorHook.maximumAnswerBytes) bytes")
            }
            if count == 0 || isEnough(piece[..<count]) { return bytes }
        }
    }

    /// False at the deadline.
    static func wait(_ file: Int32, _ events: Int16, until deadline: MediaTime) -> Bool {
        while true {
            let left = (deadline - SystemMediaClock().now()).milliseconds
            guard left > 0 else { return false }
            var entry = pollfd(fd: file, events: events, revents: 0)
            let ready = poll(&entry, 1, Int32(clamping: left))
            if ready > 0 { return true }
            if ready < 0, errno != EINTR { return false }
        }
    }
}
