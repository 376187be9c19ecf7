import PeerToPeer
import Testing

@Suite struct DatagramSizeTests {
    /// Address, whether it is a neighbour, what the system takes, what a datagram may have.
    static let cases: [(String, Bool, Int?, Int)] = [
        ("192.168.1.7", true, 1500, 1472),
        ("fd00::7", true, 1500, 1452),
        // The machine itself takes more than any network.
        ("127.0.0.1", true, 65536, 1472),
        // WireGuard, on the device itself.
        ("10.1.2.3", true, 1420, 1392),
        ("10.1.2.3", true, 1280, 1252),
        // Somebody else's WireGuard may be on the way.
        ("10.1.2.3", false, 1500, 1372),
        ("10.1.2.3", false, 1280, 1252),
        ("fd00::7", false, 1500, 1372),
        // What the system does not know is not relied on.
        ("192.168.1.7", true, nil, 1372),
        ("203.0.113.7", true, 1500, 1200),
        ("203.0.113.7", false, 1500, 1200),
        ("2001:db8::7", false, 9000, 1200),
        ("10.1.2.3", true, 576, 1200),
    ]

    @Test(arguments: cases)
    func followsTheWay(_ host: String, _ isNeighbour: Bool, _ packetBytes: Int?, _ expected: Int) throws {
        let address = try #require(NetworkAddress(host, port: 4711))
        #expect(DatagramSize.largest(to: address, isNeighbour: isNeighbour, packetBytes: packetBytes) == expected)
    }

    @Test func theMachineItselfIsItsNeighbour() throws {
        let own = try #require(NetworkAddress("127.0.0.1", port: 4711))
        #expect(HostAddresses.isNeighbour(own))
        #expect(DatagramSize.largest(to: own) == 1472)
        // For documentation, so that nobody has it (RFC 5737).
        #expect(try !HostAddresses.isNeighbour(#require(NetworkAddress("203.0.113.7", port: 4711))))
    }
}
