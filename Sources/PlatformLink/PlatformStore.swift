import Logging
import Media
import NIOPosix

/// Keeps what terminals remember, a file for each platform. Writes go one after the other, on a thread that may block.
package actor PlatformStore {
    private let folder: String
    private let logger: Logger
    private var waiting: [String: PlatformMemory] = [:]
    private var isWriting = false

    /// - Parameter folder: must be there before anything is saved.
    package init(folder: String, logger: Logger) {
        self.folder = folder
        self.logger = logger
    }

    private nonisolated func path(_ name: String) -> String { "\(folder)/platform-\(name)" }

    /// Of a platform that was never connected to, or whose file cannot be read, an empty one: the terminal registers.
    package func load(_ name: String) async -> PlatformMemory {
        let path = path(name)
        do {
            let bytes = try await NIOThreadPool.singleton.runIfActive {
                try StateFile.read(path, maximumBytes: PlatformMemory.maximumBytes)
            }
            guard let bytes else { return PlatformMemory() }
            if bytes.count <= PlatformMemory.maximumBytes,
                let memory = PlatformMemory(text: String(decoding: bytes, as: UTF8.self))
            {
                return memory
            }
            logger.warning(
                "a platform's memory cannot be read; the terminal registers anew", metadata: ["file": "\(path)"])
        } catch {
            logger.warning(
                "a platform's memory cannot be read; the terminal registers anew", metadata: ["detail": "\(error)"])
        }
        return PlatformMemory()
    }

    /// Returns when this, or something newer, is on the disk or could not be written.
    package func save(_ memory: PlatformMemory, for name: String) async {
        waiting[name] = memory
        guard !isWriting else { return }
        isWriting = true
        while let (name, memory) = waiting.popFirst() {
            let path = path(name)
            do {
                try await NIOThreadPool.singleton.runIfActive {
                    try StateFile.replace(path, with: Array(memory.text.utf8))
                }
            } catch {
                logger.error("a platform's memory cannot be written", metadata: ["detail": "\(error)"])
            }
        }
        isWriting = false
    }
}
