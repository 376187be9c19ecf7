import Glibc
import PeerToPeer
import Testing

@Suite struct DatagramReceiverTests {
    private let first: LoopbackSocket
    private let peer: LoopbackSocket

    init() throws {
        first = try LoopbackSocket()
        peer = try LoopbackSocket()
    }

    /// Keeps what a receiver hands over.
    private final class Received {
        var calls: [[[UInt8]]] = []
        var all: [[UInt8]] { calls.flatMap { $0 } }
    }

    private func receiver(_ received: Received) throws -> DatagramReceiver {
        try #require(
            DatagramReceiver(beside: first.descriptor) { datagrams in
                received.calls.append(datagrams.map { Array($0) })
            })
    }

    @Test func onlyDTLSComesIn() throws {
        let received = Received()
        let receiver = try receiver(received)
        // STUN, the borders of DTLS, what relays send, and nothing at all.
        let datagrams: [[UInt8]] = [
            [0, 1], [3], [19, 1], [20, 2], [23, 3, 3], [63, 4], [64, 5], [127], [128, 6], [255], [],
        ]
        for datagram in datagrams { peer.send(datagram, to: first) }
        receiver.receive(into: DatagramSpace())
        #expect(received.all == [[20, 2], [23, 3, 3], [63, 4]])
        #expect(first.take() == [[0, 1], [3], [19, 1], [64, 5], [127], [128, 6], [255], []])
    }

    @Test func manyComeAtOnceAndInOrder() throws {
        let received = Received()
        let receiver = try receiver(received)
        let sent = (0..<100).map { [22, UInt8($0)] }
        for datagram in sent { peer.send(datagram, to: first) }
        let space = DatagramSpace()
        receiver.receive(into: space)
        #expect(received.all == Array(sent.prefix(DatagramReceiver.maximumDatagrams)))
        #expect(received.calls.count == DatagramReceiver.maximumDatagrams / DatagramSpace.capacity)
        receiver.receive(into: space)
        #expect(received.all == sent)
        receiver.receive(into: space)
        #expect(received.all == sent)
    }

    @Test func whatIsTooLongIsEmpty() throws {
        let received = Received()
        let receiver = try receiver(received)
        peer.send([UInt8](repeating: 22, count: DatagramSpace.maximumBytes), to: first)
        peer.send([UInt8](repeating: 22, count: DatagramSpace.maximumBytes + 1), to: first)
        receiver.receive(into: DatagramSpace())
        #expect(received.all.map(\.count) == [DatagramSpace.maximumBytes, 0])
    }

    @Test func afterItsEndAllComesToTheOther() throws {
        let received = Received()
        do {
            let receiver = try receiver(received)
            peer.send([22, 1], to: first)
            receiver.receive(into: DatagramSpace())
        }
        peer.send([22, 2], to: first)
        #expect(received.all == [[22, 1]])
        #expect(first.take() == [[22, 2]])
        // And there may be another one.
        let another = try receiver(received)
        peer.send([22, 3], to: first)
        another.receive(into: DatagramSpace())
        #expect(received.all == [[22, 1], [22, 3]])
    }

    @Test func thereIsNoneBesideWhatIsNoSocket() {
        #expect(DatagramReceiver(beside: -1) { _ in } == nil)
    }
}
