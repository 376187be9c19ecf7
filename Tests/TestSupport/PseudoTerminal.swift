import Glibc
import NIOCore

/// Both ends of a line that exists in the kernel only: what tests put in the place of a serial port.
package final class PseudoTerminal {
    /// Of the end that is opened like a serial port.
    package let path: String
    private var file: Int32
    /// TIOCSPTLCK and TIOCGPTN of asm-generic/ioctls.h; Swift does not see what a macro has to compute.
    private static let lock: UInt = 0x4004_5431
    private static let number: UInt = 0x8004_5430

    package init() throws {
        file = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        var (locked, number): (Int32, UInt32) = (0, 0)
        guard file >= 0, ioctl(file, Self.lock, &locked) == 0, ioctl(file, Self.number, &number) == 0 else {
            throw IOError(errnoCode: errno, reason: "making a pseudo-terminal")
        }
        path = "/dev/pts/\(number)"
    }

    deinit { unplug() }

    package func write(_ bytes: [UInt8]) { _ = Glibc.write(file, bytes, bytes.count) }

    /// Waits for `count` bytes, five seconds at most.
    package func read(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 4096)
        while bytes.count < count {
            var entry = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, 5000) > 0 else { break }
            let got = Glibc.read(file, &piece, min(piece.count, count - bytes.count))
            guard got > 0 else { break }
            bytes += piece[..<got]
        }
        return bytes
    }

    /// Whoever has the other end sees a line that was hung up.
    package func unplug() {
        if file >= 0 { close(file) }
        file = -1
    }
}
