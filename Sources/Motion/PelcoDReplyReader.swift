/// Finds a head's replies in what comes over the line: echoes of our own commands, other heads' words and noise are
/// passed over.
package struct PelcoDReplyReader: Sendable {
    package enum Reply: Sendable, Hashable {
        /// The head has heard; 0 for no alarm.
        case general(alarms: UInt8)
        case position(PelcoD.Position, UInt16)
    }

    private static let generalLength = 4

    private let address: UInt8
    /// General replies are known by the checksum of the command they answer.
    private var lastChecksum: UInt8 = 0
    private var waiting: [UInt8] = []

    package init(address: UInt8) { self.address = address }

    package mutating func sent(_ frame: PelcoD.Frame) { lastChecksum = frame.checksum }

    package mutating func receive(_ bytes: [UInt8]) -> [Reply] {
        var replies: [Reply] = []
        for byte in bytes {
            waiting.append(byte)
            while let length = understand(&replies) { waiting.removeFirst(length) }
        }
        return replies
    }

    /// How many bytes are done with; nil while more are needed.
    private func understand(_ replies: inout [Reply]) -> Int? {
        guard let first = waiting.first else { return nil }
        guard first == PelcoD.sync else { return 1 }
        guard waiting.count >= 2 else { return nil }
        guard waiting[1] == address else { return 1 }
        guard waiting.count >= Self.generalLength else { return nil }
        // The head of an extended reply can look like a general one: to a query at address 8, for example.
        if waiting[2] == 0, let position = PelcoD.Position(replyCommand: waiting[3]) {
            guard waiting.count >= PelcoD.Frame.length else { return nil }
            if waiting[6] == waiting[1..<6].reduce(0, &+) {
                replies.append(.position(position, UInt16(waiting[4]) << 8 | UInt16(waiting[5])))
                return PelcoD.Frame.length
            }
        }
        guard waiting[3] == lastChecksum &+ waiting[2] else { return 1 }
        replies.append(.general(alarms: waiting[2]))
        return Self.generalLength
    }
}
