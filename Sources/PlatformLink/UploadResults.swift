import PlatformProtocol

/// Ends of uploads that the platform has not confirmed: each is told on two connections at most.
struct UploadResults: Sendable {
    /// The oldest make room.
    static let maximum = 32
    static let maximumConnections = 2

    private struct Entry: Sendable {
        let body: JT1078UploadResult
        /// Of its frame on this connection.
        var serial: UInt16?
        var connections = 0
    }

    private var entries: [Entry] = []

    mutating func add(_ body: JT1078UploadResult) {
        if entries.count == Self.maximum { entries.removeFirst() }
        entries.append(Entry(body: body))
    }

    /// What is to go out on this connection.
    var unsent: [(index: Int, body: JT1078UploadResult)] {
        entries.indices.filter { entries[$0].serial == nil }.map { ($0, entries[$0].body) }
    }

    mutating func sent(_ index: Int, as serial: UInt16) {
        entries[index].serial = serial
        entries[index].connections += 1
    }

    mutating func confirmed(_ serial: UInt16) { entries.removeAll { $0.serial == serial } }

    mutating func connectionEnded() {
        entries.removeAll { $0.connections >= Self.maximumConnections }
        for index in entries.indices { entries[index].serial = nil }
    }
}
