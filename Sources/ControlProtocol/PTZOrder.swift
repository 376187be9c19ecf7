/// The body of `POST /api/v1/channels/ID/ptz`.
package struct PTZOrder: Codable, Sendable, Hashable {
    package enum Command: String, Codable, Sendable, CaseIterable {
        /// Moves as long as the request lives, and `seconds` at most; where it is not to hold, until the time limit of the
        /// configuration, which repeats renew.
        case press
        /// Stops whatever moves.
        case stop
        case step, go, home
        case callPreset, setPreset, clearPreset
        case startPatrol, stopPatrol
        case auxiliary
    }

    package enum Direction: String, Codable, Sendable, CaseIterable {
        case up, down, left, right, zoomIn, zoomOut, focusNear, focusFar, irisOpen, irisClose
    }

    package var command: Command
    /// Of `press`; the first of them of `step`.
    package var directions: [Direction]?
    /// Of `press`: 0…1, 1 where it is left out.
    package var speed: Double?
    package var seconds: Double?
    /// Of `press`: true where it is left out.
    package var hold: Bool?
    /// Of `go`, in degrees; what is left out stays.
    package var pan: Double?
    package var tilt: Double?
    package var zoom: Double?
    /// Of presets and auxiliaries.
    package var number: Int?
    /// Of `auxiliary`: true where it is left out.
    package var on: Bool?
    /// Of `startPatrol`: all there are where it is left out.
    package var presets: [Int]?

    /// No press is held longer.
    package static let maximumSeconds = 60.0

    package init(_ command: Command) { self.command = command }

    package init(from decoder: any Decoder) throws {
        let values = try decoder.container(keyedBy: CodingKeys.self)
        command = try values.decode(Command.self, forKey: .command)
        directions = try values.decodeIfPresent([Direction].self, forKey: .directions)
        speed = try values.decodeIfPresent(Double.self, forKey: .speed)
        seconds = try values.decodeIfPresent(Double.self, forKey: .seconds)
        hold = try values.decodeIfPresent(Bool.self, forKey: .hold)
        pan = try values.decodeIfPresent(Double.self, forKey: .pan)
        tilt = try values.decodeIfPresent(Double.self, forKey: .tilt)
        zoom = try values.decodeIfPresent(Double.self, forKey: .zoom)
        number = try values.decodeIfPresent(Int.self, forKey: .number)
        on = try values.decodeIfPresent(Bool.self, forKey: .on)
        presets = try values.decodeIfPresent([Int].self, forKey: .presets)
        if let seconds, !(0...Self.maximumSeconds).contains(seconds) {
            throw DecodingError.dataCorruptedError(
                forKey: .seconds, in: values, debugDescription: "must be from 0 to \(Int(Self.maximumSeconds))")
        }
    }
}
