import Media
import PlatformProtocol

/// What was answered lately, so that a command that comes again, because its answer got lost, is answered again and not
/// carried out twice.
struct PlatformReplies: Sendable {
    static let maximum = 64
    static let lifetime = MediaTime.seconds(60)

    struct Key: Sendable, Hashable {
        let id: UInt16
        let serial: UInt16
        let body: [UInt8]
    }

    private struct Entry: Sendable {
        let key: Key
        let at: MediaTime
        var answers: [JT808Message] = []
    }

    private var entries: [Entry] = []

    /// - Returns: nil for a new command; else what was answered so far.
    mutating func begin(_ key: Key, now: MediaTime) -> [JT808Message]? {
        entries.removeAll { now - $0.at > Self.lifetime }
        if let known = entries.first(where: { $0.key == key }) { return known.answers }
        if entries.count == Self.maximum { entries.removeFirst() }
        entries.append(Entry(key: key, at: now))
        return nil
    }

    mutating func answered(_ serial: UInt16, _ id: UInt16, with message: JT808Message) {
        guard let index = entries.lastIndex(where: { $0.key.serial == serial && $0.key.id == id }) else { return }
        entries[index].answers.append(message)
    }

    /// A platform counts anew on each connection.
    mutating func reset() { entries = [] }
}
