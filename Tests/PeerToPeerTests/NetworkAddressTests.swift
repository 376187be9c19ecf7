import PeerToPeer
import Testing

@Suite struct NetworkAddressTests {
    @Test(arguments: [
        "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.20", "169.254.3.4", "127.0.0.1", "::1", "fe80::1",
        "febf::1", "fc00::1", "fd12:3456::1",
    ])
    func localNetworks(text: String) { #expect(NetworkAddress(text, port: 1)?.isLocal == true) }

    @Test(arguments: [
        "9.255.255.255", "11.0.0.1", "172.15.0.1", "172.32.0.1", "192.167.0.1", "100.64.0.1", "203.0.113.9",
        "2001:db8::1", "fec0::1", "fe00::1", "::2",
    ])
    func theInternet(text: String) { #expect(NetworkAddress(text, port: 1)?.isLocal == false) }
}
