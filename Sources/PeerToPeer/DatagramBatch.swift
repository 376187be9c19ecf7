import CLinux
import Glibc

/// Where datagrams go to a peer without detour: from one UDP socket to one address.
package final class DirectWay {
    fileprivate var address: sockaddr_storage
    fileprivate let addressLength: socklen_t
    private let socket: () -> Int32

    /// - Parameter socket: its descriptor; -1 once it is closed.
    package init(to address: sockaddr_storage, length: socklen_t, socket: @escaping () -> Int32) {
        self.address = address
        addressLength = length
        self.socket = socket
    }

    fileprivate var descriptor: Int32 { socket() }
}

/// Collects the datagrams of a turn of the loop, to send those that go the same way with one system call: the kernel cuts
/// them apart again, which costs a fraction of as many calls. Belongs to the peer loop.
package final class DatagramBatch {
    /// What one call takes: IP's limit, and the kernel's.
    package static let maximumBytes = 60 << 10
    package static let maximumDatagrams = 64

    private let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: maximumBytes, alignment: 16)
    private var way: DirectWay?
    private var used = 0
    private var count = 0
    /// The size of all datagrams but the last, which may be smaller.
    private var segment = 0
    private var isClosed = false
    private var hasSentSeveral = false
    /// False where the kernel, or the network interface's driver, cuts nothing.
    private var canCut = true

    package init() {}

    deinit { memory.deallocate() }

    package func add(_ datagram: UnsafeRawBufferPointer, on way: DirectWay) {
        guard datagram.count > 0, datagram.count <= Self.maximumBytes else { return }
        if way !== self.way || isClosed || datagram.count > segment || count == Self.maximumDatagrams
            || used + datagram.count > Self.maximumBytes
        {
            flush()
        }
        if count == 0 {
            self.way = way
            segment = datagram.count
        }
        UnsafeMutableRawBufferPointer(rebasing: memory[used...]).copyMemory(from: datagram)
        used += datagram.count
        count += 1
        isClosed = datagram.count < segment
    }

    /// As with all datagrams, what cannot be sent now is lost.
    package func flush() {
        guard count > 0, let way else { return }
        if count > 1 { hasSentSeveral = true }
        let bytes = UnsafeRawBufferPointer(rebasing: memory[..<used])
        if count == 1 || !canCut {
            sendEach(bytes, on: way)
        } else if Self.send(bytes, segment: segment, on: way) < 0 {
            switch errno {
            case EIO, EINVAL, ENOPROTOOPT, EOPNOTSUPP:
                canCut = false
                sendEach(bytes, on: way)
            // Larger than the way takes in one piece; one by one they are cut by IP.
            case EMSGSIZE: sendEach(bytes, on: way)
            default: break
            }
        }
        self.way = nil
        used = 0
        count = 0
        isClosed = false
    }

    /// Whether several datagrams left at once since this was asked last.
    package func takeHasSentSeveral() -> Bool {
        defer { hasSentSeveral = false }
        return hasSentSeveral
    }

    private func sendEach(_ bytes: UnsafeRawBufferPointer, on way: DirectWay) {
        for start in stride(from: 0, to: bytes.count, by: segment) {
            let end = min(start + segment, bytes.count)
            _ = Self.send(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), segment: segment, on: way)
        }
    }

    private static func send(_ bytes: UnsafeRawBufferPointer, segment: Int, on way: DirectWay) -> Int {
        clinux_send_datagrams(
            way.descriptor, &way.address, way.addressLength, bytes.baseAddress, bytes.count, UInt16(segment))
    }
}
