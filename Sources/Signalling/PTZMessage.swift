import Motion

/// What `data` of the topic `ptz` says: `{"cmd":"ptz_left_press"}`.
///
/// Of the specification: the presses of four directions and `ptz_release_pre`. Beyond it: two directions at once, lens,
/// `speed` in percent, steps, positions, presets, patrols, auxiliary switches, and a mere look.
package enum PTZMessage: Sendable, Hashable {
    case command(PTZCommand)
    case look

    var isAboutPresets: Bool {
        switch self {
        case .command(.setPreset), .command(.callPreset), .command(.clearPreset): true
        default: false
        }
    }

    /// Where nothing is said of speed.
    static let usualSpeed = 0.5

    package init?(_ data: JSONValue) {
        guard let name = data["cmd"]?.word?.lowercased(), name.hasPrefix("ptz_") else { return nil }
        let rest = name.dropFirst(4)
        if let order = Self.motion(rest, data) {
            self = .command(order)
            return
        }
        switch rest {
        case "status": self = .look
        case "release_pre", "release", "stop": self = .command(.release)
        case "home": self = .command(.home)
        case "go":
            let (pan, tilt, zoom) = (data["x"]?.double, data["y"]?.double, data["zoom"]?.double)
            guard pan != nil || tilt != nil || zoom != nil else { return nil }
            self = .command(.go(pan: pan, tilt: tilt, zoom: zoom))
        case "preset_set", "preset_call", "preset_clear":
            guard let number = data["preset"]?.integer, (1...PTZCommand.maximumPreset).contains(number) else {
                return nil
            }
            self = .command(
                rest == "preset_set"
                    ? .setPreset(number) : rest == "preset_call" ? .callPreset(number) : .clearPreset(number))
        case "patrol_start": self = .command(.startPatrol(Self.presets(data["presets"])))
        case "patrol_stop": self = .command(.stopPatrol)
        case "aux_on", "aux_off":
            guard let number = data["aux"]?.integer, (1...PTZCommand.maximumAuxiliary).contains(number) else {
                return nil
            }
            self = .command(.auxiliary(number, isOn: rest == "aux_on"))
        default: return nil
        }
    }

    /// `left_press`, `left_up_press`, `left`.
    private static func motion(_ name: Substring, _ data: JSONValue) -> PTZCommand? {
        let isPress = name.hasSuffix("_press")
        guard let directions = directions(isPress ? name.dropLast(6) : name) else { return nil }
        guard isPress else { return directions.count == 1 ? .step(directions[0]) : nil }
        let speed = data["speed"]?.double.map { min(max($0, 1), 100) / 100 } ?? usualSpeed
        return .press(directions, speed: speed)
    }

    private static func directions(_ name: Substring) -> [PTZDirection]? {
        if let lens = lens[name] { return [lens] }
        let words = name.split(separator: "_", omittingEmptySubsequences: false)
        let found = words.compactMap { ways[$0] }
        guard (1...2).contains(words.count), found.count == words.count else { return nil }
        return found
    }

    private static func presets(_ value: JSONValue?) -> [Int]? {
        guard case .list(let items) = value else { return nil }
        let numbers = items.compactMap(\.integer).filter { (1...PTZCommand.maximumPreset).contains($0) }
        return numbers.isEmpty ? nil : numbers
    }

    private static let ways: [Substring: PTZDirection] = [
        "up": .up, "down": .down, "left": .left, "right": .right, "top": .up, "bottom": .down,
    ]
    private static let lens: [Substring: PTZDirection] = [
        "zoom_in": .zoomIn, "zoom_out": .zoomOut, "focus_near": .focusNear, "focus_far": .focusFar,
        "iris_open": .irisOpen, "iris_close": .irisClose,
    ]

    /// `ptz_left`, `ptz_top`, `ballhead_left`: one step; the words of the JSON form for letting go are taken as well.
    package static func plain(_ word: String) -> PTZCommand? {
        for prefix in ["ptz_", "ballhead_"] where word.hasPrefix(prefix) {
            let rest = word.dropFirst(prefix.count)
            if ["release_pre", "release", "stop"].contains(rest) { return .release }
            if let directions = directions(rest), directions.count == 1 { return .step(directions[0]) }
        }
        return nil
    }
}
