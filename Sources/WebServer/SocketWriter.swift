import Glibc
import NIOCore
import NIOSSL

/// Writes to a connection's socket at once, past the channel's queue, which a frame for hundreds of viewers need not go
/// through one by one.
///
/// Only while the channel itself holds no unsent bytes, or they would be overtaken. Holds a descriptor of its own, so
/// that what is written just after the channel closed its one meets a closed connection and not somebody else's; let it
/// go when the channel becomes inactive, or the connection stays half open.
struct SocketWriter: ~Copyable {
    private let descriptor: CInt

    /// Nil where the channel is no socket, what is written is still to be encrypted, or the process has no descriptor left.
    init?(_ channel: any Channel) {
        guard !channel.isEncrypted else { return nil }
        let copy = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(
            of: NIOBSDSocket.Handle.self
        ) { fcntl($0, F_DUPFD_CLOEXEC, 0) }
        guard let descriptor = copy.flatMap({ $0 }), descriptor >= 0 else { return nil }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Bytes of `first` and then of `second` that the kernel took: all, some, or none when it is full or the connection
    /// is broken; the channel finds out which when it is given the rest.
    func write(_ first: ByteBuffer, _ second: ByteBuffer?) -> Int {
        first.withUnsafeReadableBytes { first in
            guard let second else {
                return max(Glibc.send(descriptor, first.baseAddress, first.count, CInt(MSG_NOSIGNAL)), 0)
            }
            return second.withUnsafeReadableBytes { sendTogether(first, $0) }
        }
    }

    private func sendTogether(_ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer) -> Int {
        var parts = (Self.part(first), Self.part(second))
        return withUnsafeMutableBytes(of: &parts) { parts in
            var message = msghdr()
            message.msg_iov = parts.assumingMemoryBound(to: iovec.self).baseAddress
            message.msg_iovlen = 2
            return max(sendmsg(descriptor, &message, CInt(MSG_NOSIGNAL)), 0)
        }
    }

    private static func part(_ bytes: UnsafeRawBufferPointer) -> iovec {
        iovec(iov_base: UnsafeMutableRawPointer(mutating: bytes.baseAddress), iov_len: bytes.count)
    }
}

extension Channel {
    /// Whether what is written is encrypted on its way to the socket. On the channel's event loop.
    var isEncrypted: Bool { (try? pipeline.syncOperations.handler(type: NIOSSLServerHandler.self)) != nil }
}
