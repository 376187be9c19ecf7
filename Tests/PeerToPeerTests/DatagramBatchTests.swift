import CCRC32C
import Glibc
import PeerToPeer
import Testing

@Suite struct DatagramBatchTests {
    private let device: LoopbackSocket
    private let batch = DatagramBatch()

    init() throws { device = try LoopbackSocket() }

    private func way(to peer: LoopbackSocket) -> DirectWay {
        let descriptor = device.descriptor
        return DirectWay(to: peer.address, length: socklen_t(MemoryLayout<sockaddr_in>.size)) { descriptor }
    }

    private func datagrams(_ sizes: [Int]) -> [[UInt8]] {
        sizes.enumerated().map { [UInt8](repeating: UInt8(truncatingIfNeeded: $0 + 1), count: $1) }
    }

    private func add(_ datagrams: [[UInt8]], on way: DirectWay) {
        for datagram in datagrams { datagram.withUnsafeBytes { batch.add($0, on: way) } }
    }

    @Test(arguments: [
        [1], [1200], [1200, 1200], [1200, 1200, 400], [1200, 400, 1200], [400, 1200, 1200, 1200, 3], [7, 7, 7, 8],
        Array(repeating: 1200, count: 200), Array(repeating: 1, count: 300), [20_000, 20_000, 20_000, 20_000],
    ])
    func datagramsArriveAsTheyWere(sizes: [Int]) throws {
        let peer = try LoopbackSocket()
        let way = way(to: peer)
        let sent = datagrams(sizes)
        add(sent, on: way)
        batch.flush()
        #expect(peer.take() == sent)
    }

    @Test func nothingLeavesBeforeTheTurnEnds() throws {
        let peer = try LoopbackSocket()
        let way = way(to: peer)
        add(datagrams([500, 500]), on: way)
        #expect(peer.take().isEmpty)
        batch.flush()
        #expect(peer.take().count == 2)
        #expect(batch.takeHasSentSeveral())
        #expect(!batch.takeHasSentSeveral())
        batch.flush()
        #expect(peer.take().isEmpty)
    }

    @Test func peersGetTheirOwn() throws {
        let peers = [try LoopbackSocket(), try LoopbackSocket()]
        let ways = peers.map { way(to: $0) }
        for number in 0..<6 { add([[UInt8(number)]], on: ways[number % 2]) }
        batch.flush()
        #expect(peers[0].take() == [[0], [2], [4]])
        #expect(peers[1].take() == [[1], [3], [5]])
        #expect(!batch.takeHasSentSeveral())
    }

    @Test func whatIsTooLargeAndWhatIsClosedIsLost() throws {
        let peer = try LoopbackSocket()
        add(datagrams([DatagramBatch.maximumBytes + 1, 0, 10]), on: way(to: peer))
        let closed = DirectWay(to: peer.address, length: socklen_t(MemoryLayout<sockaddr_in>.size)) { -1 }
        add(datagrams([10, 10]), on: closed)
        batch.flush()
        #expect(peer.take().map(\.count) == [10])
    }

    /// The known answer of this polynomial, and one for every length up to where all steps were taken.
    @Test(.enabled(if: ccrc32c_is_there())) func checkSums() {
        let digits = Array("123456789".utf8)
        #expect(ccrc32c(digits, digits.count) == 0xE306_9283)
        let bytes = (0..<100).map { UInt8($0 * 7 & 0xFF) }
        for count in 0...bytes.count {
            var sum = ~UInt32(0)
            for byte in bytes.prefix(count) {
                sum ^= UInt32(byte)
                for _ in 0..<8 { sum = sum >> 1 ^ (sum & 1 == 1 ? 0x82F6_3B78 : 0) }
            }
            #expect(ccrc32c(bytes, count) == ~sum)
        }
    }
}
