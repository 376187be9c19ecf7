import Logging
import Media
import Streaming

/// Keeps what heads remember in files, one for each channel, written on a thread of its own so that no motor waits for
/// the disk. What is written is the newest; what a slow disk never saw is never written.
///
/// That a head has begun to move is on the disk a moment after it has: a power cut within that moment leaves the
/// position where it was before, which is off by the few steps taken meanwhile.
package final class HeadStore: Sendable {
    private struct State {
        var waiting: [Int: HeadMemory] = [:]
        var isClosed = false
        var hasThread = false
        var isWriting = false
    }

    private let folder: String
    private let logger: Logger
    private let monitor = Monitor(State())

    /// - Parameter folder: must be there before anything is saved.
    package init(folder: String, logger: Logger) {
        self.folder = folder
        self.logger = logger
    }

    /// Blocks. Nil for a head that was never here; a file that cannot be read is the memory of one that knows nothing.
    package func load(_ channel: Int) -> HeadMemory? {
        // What was saved just before, by a head whose settings have changed.
        flush(timeout: Self.flushTimeout)
        do throws(StateFile.Failure) {
            guard let bytes = try StateFile.read(path(channel), maximumBytes: HeadMemory.maximumBytes) else {
                return nil
            }
            if bytes.count <= HeadMemory.maximumBytes,
                let memory = HeadMemory(text: String(decoding: bytes, as: UTF8.self))
            {
                return memory
            }
            logger.error("a head's memory cannot be read", metadata: ["file": "\(path(channel))"])
        } catch {
            logger.error("a head's memory cannot be read", metadata: ["detail": "\(error)"])
        }
        var nothing = HeadMemory()
        nothing.isMoving = true
        return nothing
    }

    /// Returns at once.
    package func save(_ memory: HeadMemory, for channel: Int) {
        let startsThread = monitor.withLock { state in
            state.waiting[channel] = memory
            defer { state.hasThread = true }
            return !state.hasThread
        }
        monitor.notify()
        if startsThread { _ = MediaThread(name: "ptz-memory") { [self] in run() } }
    }

    /// Waits until everything is written, or `timeout` has passed. Blocks.
    package func flush(timeout: MediaTime) {
        _ = monitor.wait(until: SystemMediaClock().now() + timeout) { state in
            state.waiting.isEmpty && !state.isWriting ? true : nil
        }
    }

    /// Waits likewise, and ends the thread.
    package func close() {
        flush(timeout: Self.flushTimeout)
        monitor.withLock { $0.isClosed = true }
        monitor.notify()
    }

    package static let flushTimeout = MediaTime.milliseconds(500)

    private func path(_ channel: Int) -> String { "\(folder)/head-\(channel)" }

    private func run() {
        var hasFailed = false
        while let (channel, memory) = next() {
            do throws(StateFile.Failure) {
                try StateFile.replace(path(channel), with: Array(memory.text.utf8))
                hasFailed = false
            } catch {
                if !hasFailed { logger.error("a head's memory cannot be written", metadata: ["detail": "\(error)"]) }
                hasFailed = true
            }
            monitor.withLock { $0.isWriting = false }
            monitor.notify()
        }
    }

    /// Nil at the end.
    private func next() -> (Int, HeadMemory)? {
        while true {
            let found: (Int, HeadMemory)?? = monitor.wait(until: SystemMediaClock().now() + .seconds(3600)) { state in
                if let entry = state.waiting.popFirst() {
                    state.isWriting = true
                    return .some(entry)
                }
                return state.isClosed ? .some(nil) : nil
            }
            if let found { return found }
        }
    }
}
