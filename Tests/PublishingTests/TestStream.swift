import Containers
import Media
import NIOCore
import NIOPosix
import Streaming
import Synchronization

/// A stream that gives a key frame and some others whenever it is asked for a key frame, and goes on at a rate.
final class TestStream: StreamControl {
    let hub: StreamHub
    private struct State: Sendable {
        var frame: Int64 = 0
        var ceilings: [Int?] = []
        var demand = false
        var keyFrames = 0
    }
    private let state = Mutex(State())
    private let payload: ByteBuffer
    private let isSilent: Bool

    static let sps: [UInt8] = [
        0x67, 0x64, 0x00, 0x1F, 0xAC, 0xD9, 0x40, 0x50, 0x05, 0xBB, 0x01, 0x10, 0x00, 0x00, 0x03, 0x00, 0x10, 0x00,
        0x00, 0x03, 0x03, 0x20, 0xF1, 0x83, 0x19, 0x60,
    ]
    static let pps: [UInt8] = [0x68, 0xEB, 0xE3, 0xCB, 0x22, 0xC0]

    /// - Parameter isSilent: gives nothing at all.
    init(frameBytes: Int = 2000, isSilent: Bool = false) {
        hub = StreamHub(name: "0/main", hasVideo: true, hasAudio: false)
        payload = ByteBuffer(repeating: 0x41, count: frameBytes)
        self.isSilent = isSilent
        hub.setControl(self)
        hub.setFormat(
            video: VideoFormat(
                sps: Self.sps, pps: Self.pps, size: PictureSize(width: 1280, height: 720), frameRate: 25,
                bitrate: 2_000_000))
    }

    var ceilings: [Int?] { state.withLock { $0.ceilings } }

    func demandChanged(_ isWanted: Bool) { state.withLock { $0.demand = isWanted } }

    func requestKeyFrame() { if !isSilent { publish(isKey: true) } }

    func setBitrateCeiling(_ bitsPerSecond: Int?, for consumer: UInt64) {
        state.withLock { $0.ceilings.append(bitsPerSecond) }
    }

    func publish(isKey: Bool = false) {
        let number = state.withLock { state in
            defer { state.frame += 1 }
            return state.frame
        }
        hub.publish(
            TaggedFrame(EncodedFrame(kind: .video, isKey: isKey, time: .milliseconds(40 * number), data: payload)))
    }

    /// A frame each `period`, every tenth a key frame, until the task is cancelled.
    func run(on loop: any EventLoop, period: TimeAmount = .milliseconds(5)) -> RepeatedTask {
        let count = Mutex(0)
        return loop.scheduleRepeatedTask(initialDelay: period, delay: period) { _ in
            let number = count.withLock { count in
                count += 1
                return count
            }
            self.publish(isKey: number % 10 == 0)
        }
    }
}
