import ArgumentParser
import Glibc

/// A file that is written piece by piece, and made with the first; "-" is standard output.
final class OutputFile {
    private let path: String
    private var descriptor: Int32 = -1

    init(_ path: String) { self.path = path }

    deinit { if path != "-", descriptor >= 0 { close(descriptor) } }

    private func openIfNeeded() throws {
        guard descriptor < 0 else { return }
        descriptor = path == "-" ? STDOUT_FILENO : open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Self.failure(path) }
    }

    func write(_ bytes: [UInt8]) throws {
        try openIfNeeded()
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw Self.failure(path) }
            sent += count
        }
    }

    private static func failure(_ path: String) -> ExitCode {
        printError("edgectl: \(path): \(String(cString: strerror(errno)))")
        return ExitCode(1)
    }
}
