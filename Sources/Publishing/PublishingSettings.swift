import Media

/// How pushes behave; the same for all of them.
package struct PublishingSettings: Sendable, Hashable {
    /// Where a push goes whose command names no target.
    package var defaultTarget: String?
    /// What was commanded is kept here across restarts; nil keeps nothing.
    package var stateFile: String?
    /// More than these are refused.
    package var maximumPushes = 32

    package var connectTimeout = MediaTime.seconds(5)
    /// From the TCP connection to the end of TLS's and RTMP's handshakes.
    package var handshakeTimeout = MediaTime.seconds(5)
    /// From the handshake to the service's word that publishing may start.
    package var publishTimeout = MediaTime.seconds(10)
    /// How long the device may give no frame, at the start and later.
    package var noDataTimeout = MediaTime.seconds(10)
    /// How long the service may take not a single byte of what waits for it.
    package var stallTimeout = MediaTime.seconds(15)
    /// How long the kernel waits for the peer to acknowledge what was sent (TCP_USER_TIMEOUT). A network that is away
    /// for ten seconds is survived, with the pauses between the kernel's attempts: whoever gives up earlier finds the
    /// service still occupied by his own dead connection, often for a minute.
    package var acknowledgementTimeout = MediaTime.seconds(20)
    /// How long an orderly farewell may take.
    package var closeTimeout = MediaTime.milliseconds(800)

    package var retry = Backoff.Settings()

    /// Lower the encoder's bitrate while the link is too slow, and raise it again.
    package var adaptBitrate = false
    /// Bytes of a message between two chunk headers, 128 to 16,777,215.
    package var chunkSize = 65536
    /// Certificates trusted besides the system's, in PEM.
    package var caFile: String?
    /// Put the target's query also into RTMP's `tcUrl`, for services that look for a key there.
    package var queryInTcURL = false

    package init() {}
}
