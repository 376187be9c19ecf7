import Glibc

/// Percents for a person who waits: one line that changes on a terminal, else a line for every tenth.
struct ProgressLine {
    let isShown: Bool
    private let isTerminal = isatty(STDOUT_FILENO) == 1
    private var lastTenth = -1

    init(isShown: Bool) { self.isShown = isShown }

    mutating func show(percent: Int) {
        guard isShown else { return }
        if isTerminal {
            printText("\r\(percent) %")
        } else if percent / 10 > lastTenth {
            lastTenth = percent / 10
            printLine("\(percent) %")
        }
    }

    /// What comes next begins a line of its own.
    func end() {
        if isShown, isTerminal { printText("\r     \r") }
    }
}
