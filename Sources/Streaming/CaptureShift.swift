import Media

/// Which thread captures from a device, and whether it still gets on. One that a driver holds is relieved: another takes
/// its place, and it ends as soon as it comes back. A value; the time comes from outside.
package struct CaptureShift: Sendable {
    /// A thread that has not turned round for so long is held by a driver: opening a slow device takes less.
    package static let patience = MediaTime.seconds(15)
    /// Threads that have not come back. More are not risked: each may hold memory and a device.
    package static let maximumHeld = 4

    /// Of the thread that captures now.
    package private(set) var number = 0
    package private(set) var held = 0
    private var isStopped = false
    private var lastTurn: MediaTime?

    package init() {}

    /// True for a thread that is to end.
    package func isOver(_ shift: Int) -> Bool { isStopped || shift != number }

    package mutating func stop() { isStopped = true }

    /// A thread looks up from its work.
    package mutating func turn(_ shift: Int, now: MediaTime) {
        if shift == number { lastTurn = now }
    }

    /// A thread has ended.
    package mutating func ended(_ shift: Int) {
        if shift != number { held -= 1 }
    }

    /// The number of a new thread, where the one before hangs.
    package mutating func relieve(now: MediaTime) -> Int? {
        guard !isStopped, let last = lastTurn, now - last > Self.patience, held < Self.maximumHeld else { return nil }
        held += 1
        number += 1
        lastTurn = now
        return number
    }
}
