import Glibc

extension PeerCertificate {
    /// Larger files are not read.
    private static let maximumFileBytes = 16 << 10

    /// The one that is kept there, or a new one, which is kept from now on. Reads and writes a file; not for an event
    /// loop.
    ///
    /// - Parameter report: told what stands in the way of keeping it; there is a certificate all the same.
    package static func kept(
        at path: String, report: (String) -> Void
    ) throws(Problem) -> PeerCertificate {
        if let pem = read(path) {
            do throws(Problem) {
                return try PeerCertificate(pem: pem)
            } catch {
                report("\(path) is not usable (\(error)); a new certificate takes its place")
            }
        }
        let new = try PeerCertificate()
        if let reason = write(new.pem, to: path) { report("the certificate cannot be kept in \(path): \(reason)") }
        return new
    }

    private static func read(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: maximumFileBytes)
        let count = Glibc.read(file, &bytes, bytes.count)
        return count > 0 ? Array(bytes.prefix(count)) : nil
    }

    /// Whole or not at all: beside it first, then in its place. Nil where it is done, else why not.
    private static func write(_ bytes: [UInt8], to path: String) -> String? {
        let new = path + ".new"
        let file = open(new, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { return String(cString: strerror(errno)) }
        let isWritten = Glibc.write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
        let reason = String(cString: strerror(errno))
        close(file)
        guard isWritten, rename(new, path) == 0 else { return reason }
        return nil
    }
}
