import Glibc

/// The terminal as a picture that is drawn again and again; other outputs get one picture after the other.
final class TerminalScreen {
    private let isTerminal: Bool
    private var hasEntered = false
    private var before = termios()

    init() { isTerminal = isatty(STDOUT_FILENO) == 1 && isatty(STDIN_FILENO) == 1 }

    /// Seconds of the monotonic clock.
    static func now() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    func show(_ text: String) {
        guard isTerminal else { return printLine(text + "\n") }
        enter()
        var size = winsize()
        _ = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size)
        let (width, height) = (Int(size.ws_col == 0 ? 80 : size.ws_col), Int(size.ws_row == 0 ? 24 : size.ws_row))
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false).prefix(height - 1)
        // Each line is cleared behind its end, and the rest of the screen below: nothing flickers.
        printText("\u{1B}[H" + lines.map { "\($0.prefix(width))\u{1B}[K\r\n" }.joined() + "\u{1B}[J")
    }

    /// False where the user wants to leave.
    func wait(seconds: Int) -> Bool {
        guard isTerminal else {
            poll(nil, 0, Int32(seconds) * 1000)
            return true
        }
        let end = Self.now() + Double(seconds)
        while true {
            let left = end - Self.now()
            guard left > 0 else { return true }
            var entry = pollfd(fd: STDIN_FILENO, events: Int16(POLLIN), revents: 0)
            guard poll(&entry, 1, Int32(left * 1000) + 1) > 0 else { continue }
            var key: UInt8 = 0
            // Control-C comes as a key as well.
            guard read(STDIN_FILENO, &key, 1) == 1, ![UInt8(ascii: "q"), UInt8(ascii: "Q"), 3, 4].contains(key) else {
                return false
            }
        }
    }

    /// Gives the terminal back as it was.
    func leave() {
        guard hasEntered else { return }
        hasEntered = false
        printText("\u{1B}[?25h\u{1B}[?1049l")
        tcsetattr(STDIN_FILENO, TCSANOW, &before)
    }

    private func enter() {
        guard !hasEntered else { return }
        hasEntered = true
        tcgetattr(STDIN_FILENO, &before)
        var raw = before
        raw.c_lflag &= ~tcflag_t(ICANON | ECHO | ISIG)
        tcsetattr(STDIN_FILENO, TCSANOW, &raw)
        printText("\u{1B}[?1049h\u{1B}[?25l")
    }
}
