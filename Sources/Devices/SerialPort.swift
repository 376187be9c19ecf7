import Glibc
import Media

/// A serial line, raw, 8 data bits, no parity, 1 stop bit (termios(3)). Nobody else can open it meanwhile. Used on one
/// thread; every call returns by its deadline.
package final class SerialPort {
    /// What may be configured, in bits a second.
    package static let baudRates = [1200, 2400, 4800, 9600, 19200, 38400, 57600, 115_200]

    private let path: String
    private var file: Int32

    /// - Parameter path: best a name that outlives a change of sockets, such as one in /dev/serial/by-path.
    package init(path: String, baudRate: Int) throws(DeviceError) {
        guard let speed = Self.speed(baudRate) else {
            throw DeviceError(
                .unsupported, device: path, action: "setting the line",
                reason: "\(baudRate) baud is none of \(Self.baudRates)")
        }
        self.path = path
        // A modem line that is down must not hold up the opening, nor a full buffer a write.
        file = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)
        guard file >= 0 else { throw Self.failure(.absent, path, "opening the line", errno) }
        _ = ioctl(file, UInt(TIOCEXCL))
        var settings = termios()
        var result = tcgetattr(file, &settings)
        if result == 0 {
            cfmakeraw(&settings)
            settings.c_cflag &= ~tcflag_t(CSTOPB | PARENB)
            settings.c_cflag |= tcflag_t(CLOCAL | CREAD | CS8)
            cfsetispeed(&settings, speed)
            cfsetospeed(&settings, speed)
            result = tcsetattr(file, TCSANOW, &settings)
        }
        guard result == 0 else {
            let reason = errno
            close()
            throw Self.failure(.absent, path, "setting the line", reason)
        }
        tcflush(file, TCIFLUSH)
    }

    deinit { close() }

    /// All of `bytes` is in the kernel's buffer when it returns.
    package func write(_ bytes: [UInt8], by deadline: MediaTime) throws(DeviceError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count > 0 {
                sent += count
            } else if count == 0 || errno == EAGAIN {
                try waitForRoom(by: deadline)
            } else if errno != EINTR {
                throw Self.failure(.lost, path, "writing", errno)
            }
        }
    }

    /// What has come in so far, at most `maximum` bytes of it.
    package func read(maximum: Int) throws(DeviceError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: maximum)
        while true {
            let count = Glibc.read(file, &bytes, maximum)
            if count > 0 { return Array(bytes.prefix(count)) }
            // A line that is there and silent says EAGAIN; one that was hung up is at its end.
            if count == 0 { throw Self.failure(.lost, path, "reading", EIO) }
            if errno == EAGAIN { return [] }
            if errno != EINTR { throw Self.failure(.lost, path, "reading", errno) }
        }
    }

    /// Bytes that were written and have not left for the line.
    package var unsent: Int {
        var count: Int32 = 0
        return ioctl(file, UInt(TIOCOUTQ), &count) == 0 ? Int(count) : 0
    }

    /// Lets go what has not left yet.
    package func discardUnsent() { tcflush(file, TCOFLUSH) }

    /// Waits until what was written has left, and closes the line. What has not left by `deadline` is let go: the kernel
    /// would otherwise wait for it for half a minute.
    package func close(by deadline: MediaTime) {
        while file >= 0, unsent > 0, SystemMediaClock().now() < deadline {
            Pacer.sleep(until: min(deadline, SystemMediaClock().now() + .milliseconds(2)))
        }
        close()
    }

    private func close() {
        guard file >= 0 else { return }
        // On a pseudo-terminal a flush would also take what has left and was not read yet.
        if unsent > 0 { discardUnsent() }
        Glibc.close(file)
        file = -1
    }

    private func waitForRoom(by deadline: MediaTime) throws(DeviceError) {
        let left = (deadline - SystemMediaClock().now()).milliseconds
        guard left > 0 else {
            throw DeviceError(.lost, device: path, action: "writing", reason: "the line takes nothing")
        }
        var entry = pollfd(fd: file, events: Int16(POLLOUT), revents: 0)
        guard poll(&entry, 1, Int32(clamping: left)) > 0 else { return }
        if entry.revents & Int16(POLLERR | POLLHUP | POLLNVAL) != 0 {
            throw Self.failure(.lost, path, "writing", EIO)
        }
    }

    private static func failure(
        _ kind: DeviceError.Kind, _ path: String, _ action: String, _ code: Int32
    ) -> DeviceError {
        // The usual words of an adapter that was pulled out.
        kind == .lost && [EIO, ENODEV, ENXIO].contains(code)
            ? DeviceError(.lost, device: path, action: action, reason: "the line is gone; is its adapter plugged in?")
            : DeviceError(kind, device: path, action: action, errno: code)
    }

    private static func speed(_ baudRate: Int) -> speed_t? {
        let codes = [B1200, B2400, B4800, B9600, B19200, B38400, B57600, B115200]
        return baudRates.firstIndex(of: baudRate).map { speed_t(codes[$0]) }
    }
}
