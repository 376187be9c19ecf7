import CLinux
import Glibc

/// Receives what is DTLS at the address of another UDP socket: at one of its own, between which and the other the kernel
/// divides. All else, such as STUN, stays with the other (RFC 7983, 7). So libnice finds ways and watches over them, and
/// what flows on them need not go through it one by one. Belongs to the peer loop.
package final class DatagramReceiver {
    package let descriptor: Int32
    private let onDatagrams: (DatagramSpace) -> Void

    /// Taken at a time, so that one peer does not keep the loop from others; the rest is there the next time.
    package static let maximumDatagrams = 64

    /// Nil where the kernel does not divide; all comes to the other one then.
    ///
    /// - Parameter other: bound to an address.
    /// - Parameter onDatagrams: one or more of them, which are gone afterwards.
    package init?(beside other: Int32, onDatagrams: @escaping (DatagramSpace) -> Void) {
        let descriptor = clinux_share_port(other)
        guard descriptor >= 0 else { return nil }
        self.descriptor = descriptor
        self.onDatagrams = onDatagrams
    }

    deinit { close(descriptor) }

    /// Hands over what has come.
    package func receive(into space: DatagramSpace) {
        for _ in 0..<Self.maximumDatagrams / DatagramSpace.capacity {
            space.fill(from: descriptor)
            guard space.count > 0 else { return }
            onDatagrams(space)
            guard space.count == DatagramSpace.capacity else { return }
        }
    }
}

/// Datagrams that were read with one call.
package final class DatagramSpace: Sequence {
    package static let capacity = 16
    /// Of one; what is longer is no DTLS.
    package static let maximumBytes = 16 << 10

    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity * maximumBytes, alignment: 16)
    private var lengths = [UInt32](repeating: 0, count: capacity)
    package private(set) var count = 0

    package init() {}

    deinit { memory.deallocate() }

    fileprivate func fill(from socket: Int32) {
        let limit = Int32(Self.capacity)
        let received = clinux_receive_datagrams(socket, memory.baseAddress, Self.maximumBytes, &lengths, limit)
        count = received < 0 ? 0 : Int(received)
    }

    package struct Iterator: IteratorProtocol {
        fileprivate let space: DatagramSpace
        fileprivate var index = 0

        package mutating func next() -> UnsafeRawBufferPointer? {
            guard index < space.count else { return nil }
            defer { index += 1 }
            let start = index * DatagramSpace.maximumBytes
            return UnsafeRawBufferPointer(rebasing: space.memory[start..<start + Int(space.lengths[index])])
        }
    }

    package func makeIterator() -> Iterator { Iterator(space: self) }
    package var underestimatedCount: Int { count }
}
