import COpenSSL
import NIOCore

/// What all connections share: certificate, versions, ciphers.
final class DTLSContext {
    let context: OpaquePointer
    fileprivate let transport: OpaquePointer

    /// Those without AES instructions are quicker with ChaCha20, and both ends can do both.
    private static let ciphers =
        "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384:"
        + "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-CHACHA20-POLY1305:ECDHE-RSA-AES256-GCM-SHA384"
    /// Nothing is sent by it, but some peers break off where no profile is agreed on.
    private static let mediaProfiles = "SRTP_AES128_CM_SHA1_80:SRTP_AEAD_AES_128_GCM"

    init(_ certificate: PeerCertificate) throws(PeerCertificate.Problem) {
        guard let context = SSL_CTX_new(DTLS_method()) else { throw .init("OpenSSL has no DTLS") }
        guard let transport = Self.makeTransport() else {
            SSL_CTX_free(context)
            throw .init("OpenSSL has no memory for a transport")
        }
        self.context = context
        self.transport = transport
        copenssl_set_minimum_version(context, DTLS1_2_VERSION)
        copenssl_configure_datagrams(context)
        // Any certificate is taken here; its hash decides once it is known.
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT) { _, _ in 1 }
        guard SSL_CTX_set_cipher_list(context, Self.ciphers) == 1,
            // This one says 0 where all is well.
            SSL_CTX_set_tlsext_use_srtp(context, Self.mediaProfiles) == 0,
            SSL_CTX_use_certificate(context, certificate.certificate) == 1,
            SSL_CTX_use_PrivateKey(context, certificate.key) == 1
        else { throw .init("OpenSSL does not take the settings or the certificate") }
    }

    deinit {
        SSL_CTX_free(context)
        BIO_meth_free(transport)
    }

    /// One write is one datagram, which a BIO of memory would not keep.
    private static func makeTransport() -> OpaquePointer? {
        guard let method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagrams") else { return nil }
        BIO_meth_set_write(method) { bio, bytes, count in
            guard let data = BIO_get_data(bio), let bytes, count > 0 else { return -1 }
            Unmanaged<DTLSTransport>.fromOpaque(data).takeUnretainedValue()
                .write(UnsafeRawBufferPointer(start: bytes, count: Int(count)))
            return count
        }
        BIO_meth_set_ctrl(method) { _, command, _, _ in
            switch command {
            case BIO_CTRL_FLUSH: 1
            case BIO_CTRL_DGRAM_QUERY_MTU, BIO_CTRL_DGRAM_GET_FALLBACK_MTU: DTLSTransport.handshakeMTU
            case BIO_CTRL_DGRAM_GET_MTU_OVERHEAD: 28
            default: 0
            }
        }
        return method
    }
}

/// Told by a connection; on the peer loop, from inside `take`, `begin` and `timeOut`.
protocol DTLSTransportDelegate: AnyObject {
    func dtlsSends(_ datagram: UnsafeRawBufferPointer)
    /// The peer holds the key of one of the certificates that were told of.
    func dtlsConnected()
    func dtlsReceived(_ message: UnsafeRawBufferPointer)
    func dtlsEnded(_ reason: String)
}

/// DTLS 1.2 (RFC 6347) over datagrams that come and go elsewhere. Belongs to the peer loop.
final class DTLSTransport {
    /// Handshake messages are cut to this; what is sent afterwards is SCTP's to cut.
    static let handshakeMTU = 1200
    /// Datagrams that come before there is a way back are kept, since OpenSSL would answer into nothing and then wait.
    static let maximumEarlyDatagrams = 8
    private static let maximumMessageBytes = 16 << 10

    private enum State { case new, handshaking, connected, ended }

    weak var delegate: (any DTLSTransportDelegate)?
    private let context: DTLSContext
    private let ssl: OpaquePointer
    private let incoming: OpaquePointer
    private let isClient: Bool
    private let fingerprints: [CertificateFingerprint]
    private let loop: any EventLoop
    private var state = State.new
    private var early: [[UInt8]] = []
    private var timer: Scheduled<Void>?
    private let scratch = UnsafeMutableRawBufferPointer.allocate(byteCount: maximumMessageBytes, alignment: 16)

    /// - Parameter fingerprints: of which the peer's certificate has one.
    init?(
        _ context: DTLSContext, isClient: Bool, fingerprints: [CertificateFingerprint], on loop: any EventLoop
    ) {
        guard let ssl = SSL_new(context.context) else { return nil }
        guard let incoming = BIO_new(BIO_s_mem()) else {
            SSL_free(ssl)
            return nil
        }
        guard let outgoing = BIO_new(context.transport) else {
            BIO_free(incoming)
            SSL_free(ssl)
            return nil
        }
        self.context = context
        self.ssl = ssl
        self.incoming = incoming
        self.isClient = isClient
        self.fingerprints = fingerprints
        self.loop = loop
        copenssl_empty_means_retry(incoming)
        BIO_set_data(outgoing, Unmanaged.passUnretained(self).toOpaque())
        BIO_set_init(outgoing, 1)
        SSL_set_bio(ssl, incoming, outgoing)
        copenssl_set_link_mtu(ssl, Self.handshakeMTU)
        // A tenth of a second, then twice as long each time; OpenSSL's own second is long where packets are lost.
        DTLS_set_timer_cb(ssl) { _, last in last == 0 ? 100_000 : min(last * 2, 4_000_000) }
        if isClient { SSL_set_connect_state(ssl) } else { SSL_set_accept_state(ssl) }
    }

    deinit {
        SSL_free(ssl)
        scratch.deallocate()
    }

    /// There is a way to the peer now.
    func begin() {
        guard state == .new else { return }
        state = .handshaking
        advance()
        let datagrams = early
        early = []
        for datagram in datagrams { datagram.withUnsafeBytes { take($0) } }
    }

    func take(_ datagram: UnsafeRawBufferPointer) {
        // Only DTLS has a first byte like this (RFC 7983).
        guard let first = datagram.first, (20...63).contains(first), datagram.count <= Self.maximumMessageBytes else {
            return
        }
        switch state {
        case .new:
            if early.count < Self.maximumEarlyDatagrams { early.append(Array(datagram)) }
        case .handshaking, .connected:
            guard BIO_write(incoming, datagram.baseAddress, Int32(datagram.count)) == Int32(datagram.count) else {
                return
            }
            if state == .handshaking { advance() }
            read()
        case .ended: break
        }
    }

    /// False where it is not connected. What the network does with it is not known here.
    @discardableResult
    func send(_ message: UnsafeRawBufferPointer) -> Bool {
        guard state == .connected else { return false }
        // Whoever asks for an error clears those from before.
        return SSL_write(ssl, message.baseAddress, Int32(message.count)) > 0
    }

    /// Says goodbye where somebody may listen.
    func close() {
        if state == .connected {
            ERR_clear_error()
            SSL_shutdown(ssl)
        }
        state = .ended
        timer?.cancel()
        timer = nil
        delegate = nil
    }

    fileprivate func write(_ datagram: UnsafeRawBufferPointer) { delegate?.dtlsSends(datagram) }

    // MARK: Handshake

    private func advance() {
        ERR_clear_error()
        let result = SSL_do_handshake(ssl)
        if result == 1 { return finishHandshake() }
        switch SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: armTimer()
        default: end("the DTLS handshake failed: \(PeerCertificate.Problem("OpenSSL").description)")
        }
    }

    private func finishHandshake() {
        timer?.cancel()
        timer = nil
        guard isExpectedPeer() else { return end("the peer's certificate is not the one that was announced") }
        state = .connected
        delegate?.dtlsConnected()
    }

    private func isExpectedPeer() -> Bool {
        guard let certificate = SSL_get1_peer_certificate(ssl) else { return false }
        defer { X509_free(certificate) }
        return fingerprints.contains { expected in
            PeerCertificate.fingerprint(of: certificate, expected.function)?.matches(expected) == true
        }
    }

    private func armTimer() {
        timer?.cancel()
        timer = nil
        let milliseconds = copenssl_timeout(ssl)
        guard milliseconds >= 0 else { return }
        let own = NIOLoopBound(self, eventLoop: loop)
        timer = loop.scheduleTask(in: .milliseconds(Int64(max(milliseconds, 1)))) { own.value.timeOut() }
    }

    private func timeOut() {
        guard state == .handshaking else { return }
        ERR_clear_error()
        guard copenssl_handle_timeout(ssl) >= 0 else { return end("the DTLS handshake took too long") }
        armTimer()
    }

    // MARK: Messages

    private func read() {
        while state == .connected {
            ERR_clear_error()
            let count = SSL_read(ssl, scratch.baseAddress, Int32(scratch.count))
            guard count > 0 else {
                switch SSL_get_error(ssl, count) {
                case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return
                case SSL_ERROR_ZERO_RETURN: return end("the peer closed")
                default: return end("DTLS broke: \(PeerCertificate.Problem("OpenSSL").description)")
                }
            }
            delegate?.dtlsReceived(UnsafeRawBufferPointer(rebasing: scratch.prefix(Int(count))))
            // Most datagrams hold one message, and to be told that there are no more costs as much as half of one.
            if BIO_ctrl_pending(incoming) == 0, SSL_has_pending(ssl) == 0 { return }
        }
    }

    private func end(_ reason: String) {
        guard state != .ended else { return }
        state = .ended
        timer?.cancel()
        timer = nil
        delegate?.dtlsEnded(reason)
    }
}
