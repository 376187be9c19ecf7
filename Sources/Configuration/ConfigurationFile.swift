import Glibc

/// Reads a configuration from disk.
package enum ConfigurationFile {
    package enum Failure: Error, Sendable, Hashable {
        /// The file cannot be read at all.
        case unreadable(path: String, reason: String)
        case mistakes(path: String, [ConfigurationMistake])

        /// One line for each thing wrong.
        package var lines: [String] {
            switch self {
            case .unreadable(let path, let reason): ["\(path): error: cannot be read: \(reason)"]
            case .mistakes(let path, let mistakes): mistakes.map { $0.description(file: path) }
            }
        }
    }

    package static func read(path: String) throws(Failure) -> AgentConfiguration {
        let text = try bytes(path: path)
        do {
            return try ConfigurationReader.read(text)
        } catch {
            throw .mistakes(path: path, error.mistakes)
        }
    }

    /// At most one byte more than the reader takes, whatever the file is.
    private static func bytes(path: String) throws(Failure) -> [UInt8] {
        // Not to wait for a writer where the path is a named pipe's.
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
        defer { close(file) }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65536)
        while text.count <= YAMLParser.maximumBytes {
            let count = Glibc.read(file, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .unreadable(path: path, reason: String(cString: strerror(errno))) }
            if count == 0 { break }
            text += chunk[..<count]
        }
        return text
    }
}
