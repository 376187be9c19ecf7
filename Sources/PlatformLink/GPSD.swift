import PlatformProtocol
import Signalling

/// What gpsd says (its JSON protocol, version 3): lines in, positions out.
package struct GPSDReader: Sendable {
    /// Longer lines are not looked at; reports of satellites are among them.
    package static let maximumLine = 4096
    static let watch = "?WATCH={\"enable\":true,\"json\":true};\n"

    private var line: [UInt8] = []
    private var isTooLong = false

    package init() {}

    /// The newest position; nil where nothing was said of it.
    package mutating func feed(_ bytes: some Sequence<UInt8>) -> GPSDFix? {
        var fix: GPSDFix?
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                if line.count < Self.maximumLine { line.append(byte) } else { isTooLong = true }
                continue
            }
            if !isTooLong, let found = Self.fix(line) { fix = found }
            line.removeAll(keepingCapacity: true)
            isTooLong = false
        }
        return fix
    }

    private static func fix(_ line: [UInt8]) -> GPSDFix? {
        guard let report = JSONReader.read(line), report.member("class") == .text("TPV"),
            let mode = report.member("mode")?.double
        else { return nil }
        // Modes 2 and 3 have a position, in the plane or in space.
        guard mode >= 2, let latitude = report.member("lat")?.double, let longitude = report.member("lon")?.double,
            (-90...90).contains(latitude), (-180...180).contains(longitude)
        else { return .lost }
        let altitude = report.member("altMSL")?.double ?? report.member("alt")?.double ?? 0
        return .position(.init(latitude: latitude, longitude: longitude, altitude: min(max(altitude, -1000), 65535)))
    }
}

package enum GPSDFix: Sendable, Hashable {
    case position(PlatformSettings.Position)
    /// The receiver sees too few satellites.
    case lost
}

extension JSONValue {
    fileprivate func member(_ key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.key == key }?.value
    }

    fileprivate var double: Double? {
        switch self {
        case .number(let value): Double(value)
        case .decimal(let text): Double(text).flatMap { $0.isFinite ? $0 : nil }
        default: nil
        }
    }
}
