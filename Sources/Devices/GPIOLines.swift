import CLinux
import Glibc

/// Lines of one GPIO chip, through the kernel's character device (linux/gpio.h, version 2). Closing the chip's file
/// gives them back; the kernel does that too when the process dies. Used on one thread.
package final class GPIOLines {
    package enum Bias: Sendable, Hashable, CaseIterable {
        case none, pullUp, pullDown
    }

    package enum Use: Sendable, Hashable {
        /// Bit n of `levels` is what line n starts with.
        case outputs(levels: UInt64)
        case inputs(Bias, activeLow: Bool)
    }

    /// GPIO_V2_LINES_MAX.
    package static let maximumLines = 64

    private let chip: String
    private let mask: UInt64
    private var file: Int32

    /// - Parameters:
    ///   - chip: such as /dev/gpiochip0.
    ///   - lines: their numbers on that chip.
    ///   - consumer: what others see as the user of the lines; 31 bytes of it.
    package init(chip: String, lines: [UInt32], use: Use, consumer: String) throws(DeviceError) {
        guard (1...Self.maximumLines).contains(lines.count) else {
            throw DeviceError(
                .unsupported, device: chip, action: "asking for lines",
                reason: "\(lines.count) lines were asked for, 1 to \(Self.maximumLines) can be")
        }
        self.chip = chip
        mask = lines.count == 64 ? .max : (1 << UInt64(lines.count)) - 1
        let device = open(chip, O_RDWR | O_CLOEXEC)
        guard device >= 0 else { throw DeviceError(.absent, device: chip, action: "opening the chip", errno: errno) }
        defer { Glibc.close(device) }
        file = clinux_gpio_request(
            device, lines, UInt32(lines.count), use.flags, use.initialLevels, consumer)
        guard file >= 0 else {
            let list = lines.map(String.init).joined(separator: ", ")
            throw DeviceError(.absent, device: chip, action: "asking for lines \(list)", errno: errno)
        }
        _ = fcntl(file, F_SETFD, FD_CLOEXEC)
    }

    deinit { close() }

    /// All at once. Bit n is the line that was asked for as the n-th.
    package func set(_ levels: UInt64) throws(DeviceError) {
        guard clinux_gpio_set(file, levels & mask, mask) == 0 else {
            throw DeviceError(.lost, device: chip, action: "setting lines", errno: errno)
        }
    }

    package func read() throws(DeviceError) -> UInt64 {
        var levels: UInt64 = 0
        guard clinux_gpio_get(file, &levels, mask) == 0 else {
            throw DeviceError(.lost, device: chip, action: "reading lines", errno: errno)
        }
        return levels & mask
    }

    /// Gives the lines back. What they do then is the chip's: most keep their level, so set it before.
    package func close() {
        guard file >= 0 else { return }
        Glibc.close(file)
        file = -1
    }
}

extension GPIOLines.Use {
    fileprivate var flags: UInt64 {
        switch self {
        case .outputs: clinux_gpio_output
        case .inputs(let bias, let activeLow):
            clinux_gpio_input | (activeLow ? clinux_gpio_active_low : 0) | bias.flag
        }
    }

    fileprivate var initialLevels: UInt64 {
        guard case .outputs(let levels) = self else { return 0 }
        return levels
    }
}

extension GPIOLines.Bias {
    fileprivate var flag: UInt64 {
        switch self {
        case .none: 0
        case .pullUp: clinux_gpio_pull_up
        case .pullDown: clinux_gpio_pull_down
        }
    }
}
