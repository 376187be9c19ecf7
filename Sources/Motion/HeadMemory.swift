import Media

/// What a head keeps across a restart.
package struct HeadMemory: Sendable, Hashable {
    /// While it moves nobody knows where it will be; found so after a restart, the head has to look for its position.
    package var isMoving = false
    /// As it was last at rest.
    package var position = MotorPosition()
    package var presets: [Int: MotorPosition] = [:]

    package init() {}

    // MARK: Text

    package static let formatLine = "edge-agent head 1"
    /// Longer files are not ours.
    package static let maximumBytes = 64 << 10

    package var text: String {
        var text = "\(Self.formatLine)\n"
        text += isMoving ? "moving\n" : "position\t\(Self.fields(position))\n"
        for (number, position) in presets.sorted(by: { $0.key < $1.key }) {
            text += "preset\t\(number)\t\(Self.fields(position))\n"
        }
        return text
    }

    /// Lines that cannot be read are left out. Nil where the first line is not ours.
    package init?(text: String) {
        var lines = text.split(separator: "\n")[...]
        guard lines.popFirst() == Self.formatLine[...] else { return nil }
        // A text that was cut off says nothing about the motion.
        isMoving = true
        for line in lines {
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
            switch (fields.first, fields.count) {
            case ("position", 4):
                guard let place = Self.position(fields[1...]) else { continue }
                (isMoving, position) = (false, place)
            case ("preset", 5):
                guard let number = Int(fields[1]), (1...PTZCommand.maximumPreset).contains(number),
                    let place = Self.position(fields[2...])
                else { continue }
                presets[number] = place
            default: continue
            }
        }
    }

    private static func fields(_ position: MotorPosition) -> String {
        [position.pan, position.tilt, position.zoom].map { $0.map { "\($0)" } ?? "-" }.joined(separator: "\t")
    }

    private static func position(_ fields: ArraySlice<Substring>) -> MotorPosition? {
        var values: [Double?] = []
        for field in fields {
            if field == "-" {
                values.append(nil)
            } else if let value = Double(field), value.isFinite, abs(value) <= 360 {
                values.append(value)
            } else {
                return nil
            }
        }
        return MotorPosition(pan: values[0], tilt: values[1], zoom: values[2])
    }
}
