import CV4L2
import Glibc
import Media
import Synchronization

/// The mapped buffers of a streaming V4L2 device. Lives until the last picture in one of them is let go, even when the
/// device is closed or gone by then; pictures are let go on any thread.
final class V4L2Stream: @unchecked Sendable {
    /// Buffers asked of the driver: what encoders hold, and what the driver writes into meanwhile.
    static let wantedBuffers: UInt32 = 8
    static let minimumBuffers: UInt32 = 4
    static let minimumQueued = 1

    struct Filled: Sendable {
        let index: UInt32
        let time: MediaTime
        let length: Int
        let isBroken: Bool
    }

    private let device: V4L2Device
    private let maps: [UnsafeMutableRawBufferPointer]
    private let state: Mutex<State>

    private struct State {
        var isStreaming = false
        var queued = 0
    }

    /// Maps and queues the buffers and starts streaming.
    init(_ device: consuming V4L2Device) throws(DeviceError) {
        var request = v4l2_requestbuffers()
        request.count = Self.wantedBuffers
        request.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        request.memory = V4L2_MEMORY_MMAP.rawValue
        try device.require(cv4l2_reqbufs, &request, "asking for buffers")
        guard request.count >= Self.minimumBuffers else {
            throw DeviceError(
                .unsupported, device: device.path, action: "asking for buffers",
                reason: "it gives \(request.count), \(Self.minimumBuffers) are needed")
        }
        var maps: [UnsafeMutableRawBufferPointer] = []
        for index in 0..<request.count {
            var buffer = Self.buffer(index)
            guard device.control(cv4l2_querybuf, &buffer),
                let memory = v4l2_mmap(
                    nil, Int(buffer.length), PROT_READ | PROT_WRITE, MAP_SHARED, device.descriptor,
                    Int64(buffer.m.offset)), memory != MAP_FAILED
            else {
                let code = errno
                Self.unmap(maps)
                throw DeviceError(.absent, device: device.path, action: "mapping buffers", errno: code)
            }
            maps.append(UnsafeMutableRawBufferPointer(start: memory, count: Int(buffer.length)))
        }
        self.maps = maps
        self.device = device
        state = Mutex(State(isStreaming: true))
        for index in 0..<request.count { queue(index) }
        var type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        guard self.device.control(cv4l2_streamon, &type) else {
            throw DeviceError(.absent, device: self.device.path, action: "starting the stream", errno: errno)
        }
    }

    deinit { Self.unmap(maps) }

    private static func unmap(_ maps: [UnsafeMutableRawBufferPointer]) {
        for map in maps { v4l2_munmap(map.baseAddress, map.count) }
    }

    private static func buffer(_ index: UInt32) -> v4l2_buffer {
        var buffer = v4l2_buffer()
        buffer.index = index
        buffer.type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        buffer.memory = V4L2_MEMORY_MMAP.rawValue
        return buffer
    }

    /// Buffers the driver has now.
    var queued: Int { state.withLock { $0.queued } }

    func memory(of filled: Filled) -> UnsafeMutableRawBufferPointer {
        let map = maps[Int(filled.index)]
        return UnsafeMutableRawBufferPointer(rebasing: map[..<min(filled.length, map.count)])
    }

    /// False when nothing came within `timeout`.
    func wait(timeout: MediaTime) throws(DeviceError) -> Bool {
        var descriptor = pollfd(fd: device.descriptor, events: Int16(POLLIN), revents: 0)
        let result = poll(&descriptor, 1, Int32(clamping: timeout.milliseconds))
        if result < 0, errno != EINTR {
            throw DeviceError(.lost, device: device.path, action: "waiting for a picture", errno: errno)
        }
        // An error alone means the device is gone; the read would say the same.
        if result > 0, descriptor.revents & Int16(POLLIN) == 0 {
            throw DeviceError(.lost, device: device.path, action: "waiting for a picture", errno: ENODEV)
        }
        return result > 0
    }

    /// Nil where the driver has nothing after all.
    func dequeue() throws(DeviceError) -> Filled? {
        var buffer = Self.buffer(0)
        guard device.control(cv4l2_dqbuf, &buffer) else {
            if errno == EAGAIN { return nil }
            throw DeviceError(.lost, device: device.path, action: "taking a picture", errno: errno)
        }
        guard Int(buffer.index) < maps.count else { return nil }
        state.withLock { $0.queued -= 1 }
        let isMonotonic =
            buffer.flags & UInt32(V4L2_BUF_FLAG_TIMESTAMP_MASK) == UInt32(V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC)
        return Filled(
            index: buffer.index, time: isMonotonic ? MediaTime(buffer.timestamp) : SystemMediaClock().now(),
            length: Int(buffer.bytesused), isBroken: buffer.flags & UInt32(V4L2_BUF_FLAG_ERROR) != 0)
    }

    /// Gives a buffer back to the driver; called from whatever thread let go of the picture in it.
    func queue(_ index: UInt32) {
        guard state.withLock({ $0.isStreaming }) else { return }
        var buffer = Self.buffer(index)
        // A failure means the device is gone, which the capturing thread finds out by itself.
        if device.control(cv4l2_qbuf, &buffer) { state.withLock { $0.queued += 1 } }
    }

    func stop() {
        state.withLock { $0.isStreaming = false }
        var type = V4L2_BUF_TYPE_VIDEO_CAPTURE.rawValue
        _ = device.control(cv4l2_streamoff, &type)
    }
}
