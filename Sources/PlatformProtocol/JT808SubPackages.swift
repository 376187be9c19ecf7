/// Bodies that are longer than a frame, in several.
package enum JT808SubPackages {
    /// Pieces of a body: each at most `limit` bytes.
    package static func split(_ body: [UInt8], limit: Int = JT808Header.maximumBody) -> [[UInt8]] {
        guard body.count > limit else { return [body] }
        return stride(from: 0, to: body.count, by: limit).map { Array(body[$0..<min($0 + limit, body.count)]) }
    }
}

/// Puts messages together again that came in pieces; they may come in any order and more than once.
package struct JT808Reassembler: Sendable {
    package static let maximumPieces = 256
    package static let maximumMessages = 4
    package static let maximumBytes = 256 << 10

    package enum Outcome: Sendable, Hashable {
        /// Of the first piece, and the whole body.
        case complete(firstSerial: UInt16, body: [UInt8])
        case waiting
        /// Too many pieces, or a piece that fits no message.
        case refused
    }

    /// What a message still lacks.
    package struct Missing: Sendable, Hashable {
        package let id: UInt16
        package let firstSerial: UInt16
        package let indices: [UInt16]

        package init(id: UInt16, firstSerial: UInt16, indices: [UInt16]) {
            self.id = id
            self.firstSerial = firstSerial
            self.indices = indices
        }
    }

    private struct Message: Sendable {
        let id: UInt16
        let firstSerial: UInt16
        var pieces: [[UInt8]?]
        var bytes = 0
        /// Milliseconds, by the caller's clock.
        var changedAt: Int64
        var asked = 0
    }

    private var messages: [Message] = []

    package init() {}

    package var bufferedBytes: Int { messages.reduce(0) { $0 + $1.bytes } }

    package mutating func take(_ frame: JT808Frame, piece: JT808Header.Piece, now: Int64) -> Outcome {
        let total = Int(piece.total)
        guard (1...Self.maximumPieces).contains(total), (1...total).contains(Int(piece.index)) else { return .refused }
        let first = frame.header.serial &- (piece.index - 1)
        let position: Int
        if let known = messages.firstIndex(where: {
            $0.id == frame.header.id && $0.firstSerial == first && $0.pieces.count == total
        }) {
            position = known
        } else {
            if messages.count == Self.maximumMessages { messages.removeFirst() }
            messages.append(
                Message(
                    id: frame.header.id, firstSerial: first, pieces: Array(repeating: nil, count: total),
                    changedAt: now))
            position = messages.count - 1
        }
        let index = Int(piece.index) - 1
        guard messages[position].pieces[index] == nil else { return .waiting }
        guard bufferedBytes + frame.body.count <= Self.maximumBytes else {
            messages.remove(at: position)
            return .refused
        }
        messages[position].pieces[index] = frame.body
        messages[position].bytes += frame.body.count
        messages[position].changedAt = now
        let pieces = messages[position].pieces.compactMap { $0 }
        guard pieces.count == total else { return .waiting }
        messages.remove(at: position)
        return .complete(firstSerial: first, body: Array(pieces.joined()))
    }

    /// What has not moved for `patience` (milliseconds) and is to be asked for. What was asked for `limit` times is
    /// forgotten.
    package mutating func overdue(now: Int64, patience: Int64, limit: Int) -> [Missing] {
        messages.removeAll { now - $0.changedAt >= patience && $0.asked >= limit }
        var overdue: [Missing] = []
        for index in messages.indices where now - messages[index].changedAt >= patience {
            messages[index].asked += 1
            messages[index].changedAt = now
            let message = messages[index]
            let indices = message.pieces.indices.filter { message.pieces[$0] == nil }.map { UInt16($0 + 1) }
            overdue.append(Missing(id: message.id, firstSerial: message.firstSerial, indices: indices))
        }
        return overdue
    }

    package mutating func reset() { messages = [] }
}
