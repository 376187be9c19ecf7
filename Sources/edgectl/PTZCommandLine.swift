import ArgumentParser
import ControlProtocol

/// What is written behind `edgectl ptz CHANNEL`, as an order.
package enum PTZCommandLine {
    package struct Mistake: Error, Sendable, Hashable {
        package let message: String
    }

    /// Nil for `status`, which orders nothing.
    package static func order(_ words: [String], speed: Double?, seconds: Double?) throws(Mistake) -> PTZOrder? {
        guard let action = words.first else { return nil }
        let rest = Array(words.dropFirst())
        switch (action, rest.count) {
        case ("status", 0): return nil
        case ("stop", 0): return PTZOrder(.stop)
        case ("home", 0): return PTZOrder(.home)
        case ("step", 1):
            var order = PTZOrder(.step)
            order.directions = try directions(rest[0])
            return order
        case ("go", 2...3): return try go(rest)
        case ("preset", 1): return try numbered(.callPreset, rest[0])
        case ("preset", 2) where rest[0] == "set": return try numbered(.setPreset, rest[1])
        case ("preset", 2) where rest[0] == "clear": return try numbered(.clearPreset, rest[1])
        case ("patrol", 1) where rest[0] == "stop": return PTZOrder(.stopPatrol)
        case ("patrol", _): return try patrol(rest)
        case ("aux", 2): return try auxiliary(rest)
        case (_, 0):
            var order = PTZOrder(.press)
            order.directions = try directions(action)
            order.speed = speed
            order.seconds = seconds
            return order
        default: throw Mistake(message: "\"\(words.joined(separator: " "))\" is no order to a head.")
        }
    }

    private static func directions(_ text: String) throws(Mistake) -> [PTZOrder.Direction] {
        var directions: [PTZOrder.Direction] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let direction = PTZOrder.Direction(rawValue: String(word)) else {
                let all = PTZOrder.Direction.allCases.map(\.rawValue).joined(separator: ", ")
                throw Mistake(message: "\"\(word)\" is no direction; there are \(all).")
            }
            directions.append(direction)
        }
        return directions
    }

    private static func go(_ words: [String]) throws(Mistake) -> PTZOrder {
        var values: [Double?] = []
        for word in words {
            guard word == "." || Double(word) != nil else {
                throw Mistake(message: "\"\(word)\" is no number of degrees, nor a dot for what stays.")
            }
            values.append(Double(word))
        }
        var order = PTZOrder(.go)
        (order.pan, order.tilt) = (values[0], values[1])
        order.zoom = values.count > 2 ? values[2] : nil
        return order
    }

    private static func numbered(_ command: PTZOrder.Command, _ word: String) throws(Mistake) -> PTZOrder {
        var order = PTZOrder(command)
        order.number = try number(word)
        return order
    }

    private static func patrol(_ words: [String]) throws(Mistake) -> PTZOrder {
        var order = PTZOrder(.startPatrol)
        var presets: [Int] = []
        for word in words { presets.append(try number(word)) }
        order.presets = presets.isEmpty ? nil : presets
        return order
    }

    private static func auxiliary(_ words: [String]) throws(Mistake) -> PTZOrder {
        guard ["on", "off"].contains(words[1]) else { throw Mistake(message: "An auxiliary is switched on or off.") }
        var order = try numbered(.auxiliary, words[0])
        order.on = words[1] == "on"
        return order
    }

    private static func number(_ word: String) throws(Mistake) -> Int {
        guard let number = Int(word) else { throw Mistake(message: "\"\(word)\" is no number.") }
        return number
    }
}
