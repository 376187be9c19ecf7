import Glibc

/// A listening Unix socket for the owner and the group only.
struct UnixSocket: Sendable {
    let path: String
    let descriptor: CInt
    private let device: UInt
    private let inode: UInt

    /// Takes the place of a socket that a dead process left behind, never that of a living one.
    static func listen(at path: String, mode: mode_t = 0o660) throws(WebServerError) -> UnixSocket {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        guard !path.isEmpty, path.utf8.count < capacity else {
            throw WebServerError("the control socket's path has more than \(capacity - 1) bytes: \(path)")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        try removeStale(path, address)

        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw failure("make a control socket", path) }
        // Narrow before bind, so that there is no moment at which others could connect; then what it shall be,
        // whatever the process's umask is.
        fchmod(descriptor, mode & 0o600)
        guard call(address, { bind(descriptor, $0, $1) }) == 0, chmod(path, mode) == 0,
            Glibc.listen(descriptor, 64) == 0
        else {
            let error = failure("listen on the control socket", path)
            close(descriptor)
            throw error
        }
        var status = stat()
        stat(path, &status)
        return UnixSocket(
            path: path, descriptor: descriptor, device: UInt(status.st_dev), inode: UInt(status.st_ino))
    }

    /// Unless somebody else put another one there.
    func removeFile() {
        var status = stat()
        guard stat(path, &status) == 0, UInt(status.st_dev) == device, UInt(status.st_ino) == inode else { return }
        unlink(path)
    }

    private static func removeStale(_ path: String, _ address: sockaddr_un) throws(WebServerError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw WebServerError("\(path) is there and is no socket; remove it or choose another control.socket")
        }
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let probe = socket(AF_UNIX, flags, 0)
        guard probe >= 0 else { throw failure("look at the control socket", path) }
        defer { close(probe) }
        if call(address, { connect(probe, $0, $1) }) == 0 || errno == EAGAIN {
            throw WebServerError("another agent answers at \(path); stop it or choose another control.socket")
        }
        guard errno == ECONNREFUSED else { throw failure("look at the control socket", path) }
        unlink(path)
    }

    private static func call(
        _ address: sockaddr_un, _ function: (UnsafePointer<sockaddr>, socklen_t) -> CInt
    ) -> CInt {
        withUnsafePointer(to: address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                function($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }

    private static func failure(_ what: String, _ path: String) -> WebServerError {
        let hint =
            switch errno {
            case ENOENT: "; make its folder first"
            case EACCES, EPERM: "; run as a user who may write there, or choose another control.socket"
            default: ""
            }
        return WebServerError("cannot \(what) \(path): \(String(cString: strerror(errno)))\(hint)")
    }
}
