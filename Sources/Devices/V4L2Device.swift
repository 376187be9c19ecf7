import CV4L2
import Glibc
import Media

/// Owns an open V4L2 node, through libv4l2. Request numbers: linux/videodev2.h.
struct V4L2Device: ~Copyable, Sendable {
    let path: String
    let descriptor: Int32

    init(path: String) throws(DeviceError) {
        let descriptor = cv4l2_open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw DeviceError(.absent, device: path, action: "opening the camera", errno: errno)
        }
        self.path = path
        self.descriptor = descriptor
    }

    deinit { v4l2_close(descriptor) }

    /// False with errno set where the driver refuses. Interrupted calls are made again.
    func control<T>(_ request: UInt, _ argument: inout T) -> Bool {
        while true {
            let result = withUnsafeMutablePointer(to: &argument) { cv4l2_ioctl(descriptor, request, $0) }
            if result != -1 { return true }
            if errno != EINTR { return false }
        }
    }

    func require<T>(
        _ request: UInt, _ argument: inout T, _ action: String, kind: DeviceError.Kind = .absent
    ) throws(DeviceError) {
        guard control(request, &argument) else {
            throw DeviceError(kind, device: path, action: action, errno: errno)
        }
    }

    // MARK: What it is and what it can do

    /// Nil where it is no camera (an output, a codec, a metadata node).
    func capabilities() throws(DeviceError) -> (name: String, bus: String, driver: String)? {
        var capability = v4l2_capability()
        try require(cv4l2_querycap, &capability, "asking what it is")
        let flags =
            capability.capabilities & UInt32(V4L2_CAP_DEVICE_CAPS) != 0
            ? capability.device_caps : capability.capabilities
        guard flags & UInt32(V4L2_CAP_VIDEO_CAPTURE) != 0, flags & UInt32(V4L2_CAP_STREAMING) != 0 else { return nil }
        return (Self.text(&capability.card), Self.text(&capability.bus_info), Self.text(&capability.driver))
    }

    /// Sizes and rates are enumerated up to a bound, since some drivers offer endless ranges.
    func formats() -> [CameraFormat] {
        var formats: [CameraFormat] = []
        for index in 0..<UInt32(64) {
            var entry = v4l2_fmtdesc()
            entry.index = index
            entry.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
            guard control(cv4l2_enum_fmt, &entry) else { break }
            formats.append(
                CameraFormat(
                    fourCC: FourCC(code: entry.pixelformat), description: Self.text(&entry.description),
                    isEmulated: entry.flags & UInt32(V4L2_FMT_FLAG_EMULATED) != 0,
                    modes: modes(of: entry.pixelformat)))
        }
        return formats
    }

    private func modes(of format: UInt32) -> [CameraFormat.Mode] {
        var modes: [CameraFormat.Mode] = []
        for index in 0..<UInt32(128) {
            var entry = v4l2_frmsizeenum()
            entry.index = index
            entry.pixel_format = format
            guard control(cv4l2_enum_framesizes, &entry) else { break }
            if entry.type == V4L2_FRMSIZE_TYPE_DISCRETE.rawValue {
                let size = PictureSize(width: Int(entry.discrete.width), height: Int(entry.discrete.height))
                modes.append(.init(size: size, rates: rates(of: format, size: size)))
            } else {
                for size in Self.commonSizes where Self.fits(size, entry.stepwise) {
                    modes.append(.init(size: size, rates: rates(of: format, size: size)))
                }
                break
            }
        }
        return modes
    }

    private func rates(of format: UInt32, size: PictureSize) -> [Double] {
        var rates: [Double] = []
        for index in 0..<UInt32(64) {
            var entry = v4l2_frmivalenum()
            entry.index = index
            entry.pixel_format = format
            entry.width = UInt32(size.width)
            entry.height = UInt32(size.height)
            guard control(cv4l2_enum_frameintervals, &entry) else { break }
            if entry.type == V4L2_FRMIVAL_TYPE_DISCRETE.rawValue {
                rates.append(Self.rate(entry.discrete))
            } else {
                rates.append(Self.rate(entry.stepwise.min))
                break
            }
        }
        return rates.filter { $0 > 0 }.sorted(by: >)
    }

    /// What is tried on devices that take any size within a range.
    private static let commonSizes = [
        (320, 180), (320, 240), (640, 360), (640, 480), (800, 600), (1024, 768), (1280, 720), (1280, 960), (1920, 1080),
        (2560, 1440), (3840, 2160),
    ].map { PictureSize(width: $0.0, height: $0.1) }

    private static func fits(_ size: PictureSize, _ range: v4l2_frmsize_stepwise) -> Bool {
        func fits(_ value: Int, _ low: UInt32, _ high: UInt32, _ step: UInt32) -> Bool {
            value >= Int(low) && value <= Int(high) && (value - Int(low)) % Int(max(step, 1)) == 0
        }
        return fits(size.width, range.min_width, range.max_width, range.step_width)
            && fits(size.height, range.min_height, range.max_height, range.step_height)
    }

    private static func rate(_ interval: v4l2_fract) -> Double {
        interval.numerator > 0 ? Double(interval.denominator) / Double(interval.numerator) : 0
    }

    private static func text<T>(_ bytes: inout T) -> String {
        withUnsafeBytes(of: &bytes) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }

    // MARK: Setting it up

    /// Sets format and rate; the device answers with what it really does.
    func configure(
        _ choice: CameraFormatChoice, frameRate: Double
    ) throws(DeviceError) -> (format: v4l2_pix_format, interval: MediaTime) {
        var format = v4l2_format()
        format.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        format.fmt.pix.width = UInt32(choice.size.width)
        format.fmt.pix.height = UInt32(choice.size.height)
        format.fmt.pix.pixelformat = choice.fourCC.code
        format.fmt.pix.field = V4L2_FIELD_ANY.rawValue
        try require(cv4l2_s_fmt, &format, "setting \(choice.fourCC) \(choice.size)")
        guard format.fmt.pix.pixelformat == choice.fourCC.code else {
            throw DeviceError(
                .unsupported, device: path, action: "setting \(choice.fourCC) \(choice.size)",
                reason: "it answers with \(FourCC(code: format.fmt.pix.pixelformat))")
        }
        var parameters = v4l2_streamparm()
        parameters.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        parameters.parm.capture.timeperframe = v4l2_fract(
            numerator: 1000, denominator: UInt32(max(frameRate * 1000, 1)))
        var rate = frameRate
        if control(cv4l2_s_parm, &parameters) {
            let real = Self.rate(parameters.parm.capture.timeperframe)
            if real > 0 { rate = real }
        }
        return (format.fmt.pix, MediaTime(nanoseconds: Int64(1e9 / rate)))
    }

    /// Control numbers: linux/v4l2-controls.h. Returns what the device refused.
    func apply(_ settings: CameraSettings) -> [String] {
        let base: UInt32 = 0x0098_0900
        var wanted: [(name: String, id: UInt32, value: Int)] = []
        func add(_ name: String, _ offset: UInt32, _ value: Int?) {
            if let value { wanted.append((name, base + offset, value)) }
        }
        add("brightness", 0, settings.brightness)
        add("contrast", 1, settings.contrast)
        add("saturation", 2, settings.saturation)
        add("horizontalFlip", 20, settings.horizontalFlip.map { $0 ? 1 : 0 })
        add("verticalFlip", 21, settings.verticalFlip.map { $0 ? 1 : 0 })
        add("powerLineFrequency", 24, settings.powerLineFrequency?.rawValue)
        for (id, value) in settings.otherControls.sorted(by: { $0.key < $1.key }) {
            wanted.append(("control 0x\(String(id, radix: 16))", id, value))
        }
        var refused: [String] = []
        for (name, id, value) in wanted {
            var entry = v4l2_control(id: id, value: Int32(clamping: value))
            if !control(cv4l2_s_ctrl, &entry) {
                refused.append("\(name) = \(value): \(String(cString: strerror(errno)))")
            }
        }
        return refused
    }
}
