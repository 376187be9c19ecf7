import Media
import PlatformProtocol

/// What a terminal sends: numbers its frames, sends again what is not answered, and keeps long messages for platforms that
/// missed a piece. A value; nothing is sent here.
package struct PlatformOutbox: Sendable {
    /// Messages that wait for their answer; more wait for nothing and go unanswered.
    package static let maximumWaiting = 32
    /// Long messages that pieces can be asked of.
    package static let maximumKept = 8

    private struct Waiting: Sendable {
        let id: UInt16
        let serial: UInt16
        /// Of the last piece, since a platform may answer each.
        let lastSerial: UInt16
        let frames: [[UInt8]]
        let sentAt: MediaTime
        var dueAt: MediaTime
        var sent = 1
        /// Before the latest repetition.
        var pause: MediaTime
    }

    private let version: JT808Version
    private let phone: [UInt8]
    private var serial: UInt16 = 0
    private var waiting: [Waiting] = []
    private var kept: [(serial: UInt16, frames: [[UInt8]])] = []

    package init(version: JT808Version, phone: PhoneNumber) {
        self.version = version
        self.phone = phone.bcd(version.phoneBytes)
    }

    package var waitingCount: Int { waiting.count }

    /// The frames of a message.
    /// - Parameter timeout: until it goes out again where no answer comes; nil for messages without an answer.
    package mutating func frames(
        of message: JT808Message, timeout: MediaTime?, now: MediaTime
    ) -> (serial: UInt16, frames: [[UInt8]]) {
        let pieces = message.pieces(version)
        let first = serial
        var frames: [[UInt8]] = []
        for (index, piece) in pieces.enumerated() {
            let mark =
                pieces.count > 1
                ? JT808Header.Piece(total: UInt16(clamping: pieces.count), index: UInt16(clamping: index + 1)) : nil
            let header = JT808Header(id: message.id, version: version, phone: phone, serial: serial, piece: mark)
            frames.append(JT808Frame(header: header, body: piece).bytes)
            serial &+= 1
        }
        if pieces.count > 1 {
            kept.append((first, frames))
            if kept.count > Self.maximumKept { kept.removeFirst() }
        }
        if let timeout, waiting.count < Self.maximumWaiting {
            waiting.append(
                Waiting(
                    id: message.id, serial: first, lastSerial: serial &- 1, frames: frames, sentAt: now,
                    dueAt: now + timeout, pause: timeout))
        }
        return (first, frames)
    }

    /// - Parameter serial: nil where the answer names none.
    /// - Returns: whether somebody waited for it.
    package mutating func answered(_ id: UInt16, serial: UInt16?) -> Bool {
        let index = waiting.firstIndex { message in
            message.id == id
                && (serial.map { $0 &- message.serial <= message.lastSerial &- message.serial } ?? true)
        }
        guard let index else { return false }
        waiting.remove(at: index)
        return true
    }

    /// The pieces of a long message that did not arrive. Nothing for one that is forgotten.
    package func pieces(_ request: JT808ResendRequest) -> [[UInt8]] {
        guard let message = kept.last(where: { $0.serial == request.firstSerial }) else { return [] }
        return request.indices.compactMap { index in
            index >= 1 && Int(index) <= message.frames.count ? message.frames[Int(index) - 1] : nil
        }
    }

    package enum Due: Sendable, Hashable {
        case again([[UInt8]])
        /// Sent as often as may be.
        case givenUp(UInt16)
    }

    /// What is to go out again now. Pauses are T, 2 T, 6 T …
    package mutating func due(now: MediaTime, resends: Int) -> [Due] {
        var due: [Due] = []
        for index in waiting.indices where waiting[index].dueAt <= now {
            guard waiting[index].sent <= resends else {
                due.append(.givenUp(waiting[index].id))
                continue
            }
            waiting[index].sent += 1
            waiting[index].pause = waiting[index].pause * Int64(waiting[index].sent)
            waiting[index].dueAt = now + waiting[index].pause
            due.append(.again(waiting[index].frames))
        }
        return due
    }

    package var nextDue: MediaTime? { waiting.map(\.dueAt).min() }
    package var oldestSent: MediaTime? { waiting.map(\.sentAt).min() }

    /// On a new connection nothing of the old one is waited for.
    package mutating func connectionEnded() {
        waiting = []
        kept = []
    }
}
