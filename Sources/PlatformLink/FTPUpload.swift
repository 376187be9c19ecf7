import CCurl
import Recording

/// One file's way to an FTP server, through libcurl. Blocks; one thread.
struct FTPUpload {
    struct Server: Sendable, Hashable {
        var host: [UInt8]
        var port: UInt16
        var user: [UInt8]
        var password: [UInt8]
        /// As the platform wrote it; made where it is missing.
        var folder: [UInt8]
    }

    enum Outcome: Sendable, Hashable {
        case done
        /// `isWanted` said no.
        case interrupted
        /// May come right by itself.
        case failed(String)
        /// Would be said again.
        case refused(String)
    }

    /// The password is wrong, the folder cannot be written to, the disk is full.
    private static let refusals = [CURLE_LOGIN_DENIED, CURLE_REMOTE_ACCESS_DENIED, CURLE_REMOTE_DISK_FULL]

    /// Seconds.
    private static let connectTimeout = 10
    /// A server that takes nothing for so many seconds is gone.
    private static let stallTimeout = 30
    private static let isReady: Bool = ccurl_start()

    let server: Server
    let name: String

    /// - Parameters:
    ///   - resumes: goes on behind what the server has of the file already.
    ///   - isWanted: asked about once a second and with each piece.
    func run(_ file: SegmentFile, resumes: Bool, isWanted: @escaping () -> Bool) -> Outcome {
        guard Self.isReady, let handle = ccurl_init() else { return .failed("libcurl does not start") }
        defer { ccurl_cleanup(handle) }
        let source = UploadSource(file: file, isWanted: isWanted)
        let pointer = Unmanaged.passUnretained(source).toOpaque()
        configure(handle, length: file.length, resumes: resumes)
        connect(handle, to: pointer)
        let code = withExtendedLifetime(source) { ccurl_perform(handle) }
        if code == CURLE_OK { return .done }
        guard isWanted() else { return .interrupted }
        let reason = ccurl_error(code).map { String(cString: $0) } ?? "error \(code.rawValue)"
        return Self.refusals.contains(code) ? .refused(reason) : .failed(reason)
    }

    private func configure(_ handle: UnsafeMutableRawPointer, length: Int64, resumes: Bool) {
        ccurl_set_text(handle, CURLOPT_URL, url)
        ccurl_set_text(handle, CURLOPT_PROTOCOLS_STR, "ftp")
        text(handle, CURLOPT_USERNAME, server.user)
        text(handle, CURLOPT_PASSWORD, server.password)
        ccurl_set_number(handle, CURLOPT_UPLOAD, 1)
        ccurl_set_number(handle, CURLOPT_FTP_CREATE_MISSING_DIRS, 1)
        // Signals are the agent's.
        ccurl_set_number(handle, CURLOPT_NOSIGNAL, 1)
        ccurl_set_number(handle, CURLOPT_CONNECTTIMEOUT, Self.connectTimeout)
        ccurl_set_number(handle, CURLOPT_LOW_SPEED_LIMIT, 1)
        ccurl_set_number(handle, CURLOPT_LOW_SPEED_TIME, Self.stallTimeout)
        ccurl_set_large(handle, CURLOPT_INFILESIZE_LARGE, curl_off_t(length))
        if resumes { ccurl_set_large(handle, CURLOPT_RESUME_FROM_LARGE, -1) }
    }

    private func connect(_ handle: UnsafeMutableRawPointer, to source: UnsafeMutableRawPointer) {
        ccurl_set_pointer(handle, CURLOPT_READDATA, source)
        ccurl_set_pointer(handle, CURLOPT_SEEKDATA, source)
        ccurl_set_pointer(handle, CURLOPT_XFERINFODATA, source)
        ccurl_set_number(handle, CURLOPT_NOPROGRESS, 0)
        ccurl_set_read(handle) { buffer, size, count, data in
            guard let buffer, let data else { return Int(CURL_READFUNC_ABORT) }
            return UploadSource.of(data).read(into: buffer, count: size * count)
        }
        ccurl_set_seek(handle) { data, offset, origin in
            guard let data, origin == SEEK_SET else { return CURL_SEEKFUNC_CANTSEEK }
            return UploadSource.of(data).seek(to: Int64(offset)) ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL
        }
        ccurl_set_progress(handle) { data, _, _, _, _ in
            guard let data else { return 1 }
            return UploadSource.of(data).isWanted() ? 0 : 1
        }
    }

    private func text(_ handle: UnsafeMutableRawPointer, _ option: CURLoption, _ bytes: [UInt8]) {
        let terminated = bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) } + [0]
        ccurl_set_text(handle, option, terminated)
    }

    /// A folder that begins with a slash is one from the server's root, which a URL writes as an empty segment.
    var url: String {
        let host = String(decoding: server.host, as: UTF8.self)
        let authority = host.contains(":") ? "[\(host)]" : host
        let isAbsolute = server.folder.first == 0x2F
        let segments = server.folder.split(separator: 0x2F).map { Self.escaped($0) } + [Self.escaped(name.utf8)]
        return "ftp://\(authority):\(server.port)/" + (isAbsolute ? "/" : "") + segments.joined(separator: "/")
    }

    private static func escaped(_ bytes: some Sequence<UInt8>) -> String {
        var text = ""
        for byte in bytes {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 16, uppercase: true)
                text += "%" + (digits.count < 2 ? "0" : "") + digits
            }
        }
        return text
    }
}

/// Where libcurl reads from.
private final class UploadSource {
    private let file: SegmentFile
    let isWanted: () -> Bool
    private var offset: Int64 = 0

    init(file: SegmentFile, isWanted: @escaping () -> Bool) {
        self.file = file
        self.isWanted = isWanted
    }

    static func of(_ pointer: UnsafeMutableRawPointer) -> UploadSource {
        Unmanaged<UploadSource>.fromOpaque(pointer).takeUnretainedValue()
    }

    func read(into buffer: UnsafeMutablePointer<CChar>, count: Int) -> Int {
        guard isWanted() else { return Int(CURL_READFUNC_ABORT) }
        let wanted = Int(min(Int64(count), file.length - offset))
        guard wanted > 0 else { return 0 }
        guard let bytes = file.read(at: offset, count: wanted) else { return Int(CURL_READFUNC_ABORT) }
        bytes.withUnsafeReadableBytes { raw in
            UnsafeMutableRawPointer(buffer).copyMemory(
                from: raw.baseAddress ?? UnsafeRawPointer(buffer), byteCount: raw.count)
        }
        offset += Int64(wanted)
        return wanted
    }

    func seek(to position: Int64) -> Bool {
        guard (0...file.length).contains(position) else { return false }
        offset = position
        return true
    }
}
