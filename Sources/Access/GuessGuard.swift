import Media

/// Who guesses waits: after a few wrong secrets nothing more is looked at from that address for a second, then two, and
/// so on up to minutes. A value: the caller says what happened, and when.
package struct GuessGuard: Sendable {
    /// An IPv4 address, or the network of an IPv6 address: a host has 2^64 of those to itself.
    package enum Address: Sendable, Hashable, CustomStringConvertible {
        case v4(UInt32)
        /// The first 64 bits.
        case v6(UInt64)
        /// Not of the Internet.
        case other

        package var description: String {
            switch self {
            case .v4(let number):
                stride(from: 24, through: 0, by: -8).map { "\(number >> UInt32($0) & 0xFF)" }.joined(separator: ".")
            case .v6(let number):
                stride(from: 48, through: 0, by: -16).map { String(number >> UInt64($0) & 0xFFFF, radix: 16) }
                    .joined(separator: ":") + "::/64"
            case .other: "elsewhere"
            }
        }
    }

    /// Wrong secrets that cost nothing: people mistype.
    package static let freeGuesses = 5
    package static let firstPause = MediaTime.seconds(1)
    package static let longestPause = MediaTime.seconds(600)
    /// An address that was quiet for so long, after its pause, begins anew.
    package static let memory = MediaTime.seconds(900)
    package static let maximumAddresses = 1024

    private struct Record {
        var guesses = 0
        var pausedUntil: MediaTime
        var forgottenAt: MediaTime
    }

    private var records: [Address: Record] = [:]

    package init() {}

    package var count: Int { records.count }

    /// How long nothing is looked at from there; nil where it is.
    package func pause(of address: Address, at now: MediaTime) -> MediaTime? {
        guard let record = records[address], now < record.pausedUntil else { return nil }
        return record.pausedUntil - now
    }

    /// A wrong secret came from there. A right one changes nothing: who has one could guess others beside it.
    package mutating func failed(_ address: Address, at now: MediaTime) {
        var record = records[address] ?? Record(pausedUntil: now, forgottenAt: now)
        if now >= record.forgottenAt { record.guesses = 0 }
        record.guesses += 1
        let doublings = record.guesses - Self.freeGuesses
        if doublings >= 0 {
            let pause = Self.firstPause * (1 << Int64(min(doublings, 20)))
            record.pausedUntil = now + min(pause, Self.longestPause)
        }
        record.forgottenAt = max(record.pausedUntil, now) + Self.memory
        if records[address] == nil, records.count >= Self.maximumAddresses { makeRoom(at: now) }
        records[address] = record
    }

    private mutating func makeRoom(at now: MediaTime) {
        records = records.filter { now < $0.value.forgottenAt }
        guard records.count >= Self.maximumAddresses else { return }
        // Who has the shortest time to wait loses least.
        guard let next = records.min(by: { $0.value.forgottenAt < $1.value.forgottenAt }) else { return }
        records.removeValue(forKey: next.key)
    }
}
