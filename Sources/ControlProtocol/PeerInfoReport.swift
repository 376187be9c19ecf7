/// What a device hands to viewers so that they can connect, as it stands at the broker.
package struct PeerInfoReport: Codable, Sendable, Hashable {
    /// As browsers name servers that help to find a way.
    package struct ICEServer: Codable, Sendable, Hashable {
        package var urls: [String]

        package init(urls: [String]) { self.urls = urls }
    }

    /// Its id, or its host name where it has none.
    package var device: String
    /// Whether nobody may connect without a ticket.
    package var needsTicket: Bool
    /// A ticket for everybody who reads this; nil where none is published.
    package var xp2pInfo: String?
    /// When that ends, in seconds since 1970.
    package var expires: Int64?
    package var iceServers: [ICEServer]
    /// Where it stands at the broker; nil there, and without a broker.
    package var topic: String?

    package init(device: String, needsTicket: Bool, iceServers: [ICEServer]) {
        self.device = device
        self.needsTicket = needsTicket
        self.iceServers = iceServers
    }

    private enum CodingKeys: String, CodingKey {
        case device, needsTicket, expires, iceServers, topic
        case xp2pInfo = "_sys_xp2p_info"
    }
}
