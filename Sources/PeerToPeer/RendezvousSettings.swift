import Access

/// The broker (MQTT 3.1.1) over which viewers and fleets reach the device.
package struct RendezvousSettings: Sendable, Hashable {
    package var host: String
    package var port: UInt16
    package var usesTLS: Bool
    package var user: String?
    package var password: Secret?
    /// Of authorities whose certificates the broker may have; nil for those that the system trusts.
    package var authorities: String?
    /// The device's own certificate and its key, where the broker wants one: paths of PEM files.
    package var certificate: String?
    package var key: String?
    /// What all topics begin with, before the device's id.
    package var topic = "edge-agent"
    /// What the ticket allows that is published for all who may read it; none is where this is empty.
    package var infoRights: Set<Right> = []
    /// How long that ticket holds.
    package var infoSeconds = 600

    /// How often a silent broker is asked whether it is there, in seconds; after one and a half times as long it says
    /// that a silent device is gone.
    package static let keepAliveSeconds: Int32 = 30

    package init(host: String, port: UInt16, usesTLS: Bool) {
        self.host = host
        self.port = port
        self.usesTLS = usesTLS
    }

    /// Such as `mqtt://broker.example.org` or `mqtts://192.0.2.1:8883`.
    package init?(_ address: String) {
        let usesTLS: Bool
        let rest: Substring
        if address.hasPrefix("mqtts://") {
            (usesTLS, rest) = (true, address.dropFirst(8))
        } else if address.hasPrefix("mqtt://") {
            (usesTLS, rest) = (false, address.dropFirst(7))
        } else {
            return nil
        }
        guard let server = ICESettings.Server(rest, defaultPort: usesTLS ? 8883 : 1883), !server.host.contains("/")
        else { return nil }
        self.init(host: server.host, port: server.port, usesTLS: usesTLS)
    }
}
