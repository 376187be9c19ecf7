/// Pelco's protocol "D" for heads on a serial line: seven bytes from the controller, four or seven from the head.
package enum PelcoD {
    package static let sync: UInt8 = 0xFF
    package static let maximumSpeed: UInt8 = 0x3F
    /// Faster than the fastest speed; for panning only.
    package static let turbo: UInt8 = 0xFF
    /// A preset that heads understand as "turn to your zero mark".
    package static let zeroPanPreset = 34

    /// What a controller sends.
    package struct Frame: Sendable, Hashable {
        package static let length = 7

        package var address: UInt8
        package var command1: UInt8
        package var command2: UInt8
        package var data1: UInt8 = 0
        package var data2: UInt8 = 0

        /// The sum of all bytes behind the first.
        package var checksum: UInt8 { address &+ command1 &+ command2 &+ data1 &+ data2 }
        package var bytes: [UInt8] { [PelcoD.sync, address, command1, command2, data1, data2, checksum] }

        package init(address: UInt8, _ command1: UInt8, _ command2: UInt8, _ data1: UInt8 = 0, _ data2: UInt8 = 0) {
            self.address = address
            self.command1 = command1
            self.command2 = command2
            self.data1 = data1
            self.data2 = data2
        }
    }

    package enum Position: CaseIterable, Sendable {
        case pan, tilt, zoom

        var setCommand: UInt8 {
            switch self {
            case .pan: 0x4B
            case .tilt: 0x4D
            case .zoom: 0x4F
            }
        }

        var queryCommand: UInt8 { setCommand + 6 }

        init?(replyCommand: UInt8) {
            switch replyCommand {
            case 0x59: self = .pan
            case 0x5B: self = .tilt
            case 0x5D: self = .zoom
            default: return nil
            }
        }
    }

    // MARK: Motions

    package static func stop(_ address: UInt8) -> Frame { Frame(address: address, 0, 0) }

    /// - Parameter usesTurbo: whether full speed pans faster than 0x3F.
    package static func move(_ address: UInt8, _ velocity: MotorVelocity, usesTurbo: Bool = false) -> Frame {
        let pan = usesTurbo && abs(velocity.pan) == 1 ? turbo : speed(velocity.pan)
        return motion(address, velocity, pan, speed(velocity.tilt))
    }

    /// The same motion at no speed: some heads stop at this and not at `stop`.
    package static func creep(_ address: UInt8, _ velocity: MotorVelocity) -> Frame { motion(address, velocity, 0, 0) }

    private static func motion(_ address: UInt8, _ velocity: MotorVelocity, _ pan: UInt8, _ tilt: UInt8) -> Frame {
        var frame = Frame(address: address, 0, 0, pan, tilt)
        for direction in velocity.directions {
            switch direction {
            case .right: frame.command2 |= 0x02
            case .left: frame.command2 |= 0x04
            case .up: frame.command2 |= 0x08
            case .down: frame.command2 |= 0x10
            case .zoomIn: frame.command2 |= 0x20
            case .zoomOut: frame.command2 |= 0x40
            case .focusFar: frame.command2 |= 0x80
            case .focusNear: frame.command1 |= 0x01
            case .irisOpen: frame.command1 |= 0x02
            case .irisClose: frame.command1 |= 0x04
            }
        }
        return frame
    }

    /// Never 0 for what is to move.
    private static func speed(_ part: Double) -> UInt8 {
        part == 0 ? 0 : max(1, UInt8((min(abs(part), 1) * Double(maximumSpeed)).rounded()))
    }

    // MARK: Extended commands

    package static func setPreset(_ address: UInt8, _ number: UInt8) -> Frame {
        Frame(address: address, 0, 3, 0, number)
    }
    package static func clearPreset(_ address: UInt8, _ number: UInt8) -> Frame {
        Frame(address: address, 0, 5, 0, number)
    }
    package static func callPreset(_ address: UInt8, _ number: UInt8) -> Frame {
        Frame(address: address, 0, 7, 0, number)
    }
    package static func zeroPan(_ address: UInt8) -> Frame { callPreset(address, UInt8(zeroPanPreset)) }
    package static func auxiliary(_ address: UInt8, _ number: UInt8, isOn: Bool) -> Frame {
        Frame(address: address, 0, isOn ? 9 : 0x0B, 0, number)
    }
    package static func query(_ address: UInt8, _ position: Position) -> Frame {
        Frame(address: address, 0, position.queryCommand)
    }

    /// - Parameter value: as `panValue`, `tiltValue` or the head's own steps of zoom.
    package static func set(_ address: UInt8, _ position: Position, _ value: UInt16) -> Frame {
        Frame(address: address, 0, position.setCommand, UInt8(value >> 8), UInt8(value & 0xFF))
    }

    // MARK: Angles: hundredths of a degree, clockwise from the zero mark, down from the horizon

    private static let fullCircle = 36_000

    package static func panValue(degrees: Double) -> UInt16 { angle(degrees) }
    package static func tiltValue(degrees: Double) -> UInt16 { angle(-degrees) }

    /// -180…180, right positive.
    package static func panDegrees(_ value: UInt16) -> Double { degrees(value) }
    /// Up positive.
    package static func tiltDegrees(_ value: UInt16) -> Double { -degrees(value) }

    private static func angle(_ degrees: Double) -> UInt16 {
        let hundredths = Int((degrees.remainder(dividingBy: 360) * 100).rounded())
        return UInt16((hundredths + fullCircle) % fullCircle)
    }

    private static func degrees(_ value: UInt16) -> Double {
        let hundredths = Int(value) % fullCircle
        return Double(hundredths > fullCircle / 2 ? hundredths - fullCircle : hundredths) / 100
    }
}
