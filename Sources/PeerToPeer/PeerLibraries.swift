import CDelayedLibraries

/// The libraries that links are made of, which are opened for the first peer.
package enum PeerLibraries {
    /// Why they cannot be had.
    package struct Missing: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
    }

    /// Before anything else of this room that is not a value. May take some tens of milliseconds; not for an event loop.
    package static func open() throws(Missing) {
        if let reason = cdelayed_open_peers() {
            throw Missing(
                description: "peer-to-peer links need libnice, OpenSSL and usrsctp (Debian: libnice10, libssl3 and "
                    + "libusrsctp2): \(String(cString: reason))")
        }
    }
}
