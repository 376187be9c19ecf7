import Devices
import Media
import NIOCore

/// Repackages H.264 that a camera made itself: start codes out, lengths in, parameter sets into the stream's format.
struct CameraH264 {
    private(set) var format: VideoFormat?
    private var sps: [UInt8] = []
    private var pps: [UInt8] = []

    /// After a lost access unit nothing can be decoded until the next key frame.
    var waitsForKey = true

    /// Nil for units that decoding cannot start with, and such without a picture.
    mutating func package(_ unit: CameraAccessUnit, frameRate: Double) -> EncodedFrame? {
        var data = EncodedFrame.makeBuffer(capacity: unit.annexB.count + 64)
        var isKey = false
        unit.annexB.withUnsafeBufferPointer { bytes in
            for range in H264.nalUnits(inAnnexB: bytes) {
                let nal = UnsafeBufferPointer(rebasing: bytes[range])
                switch nal[0] & 0x1F {
                case H264.NALType.sps: sps = Array(nal)
                case H264.NALType.pps: pps = Array(nal)
                case H264.NALType.delimiter: break
                case let type:
                    if type == H264.NALType.idr { isKey = true }
                    data.writeInteger(UInt32(nal.count))
                    data.writeBytes(nal)
                }
            }
        }
        guard data.readableBytes > 0, !sps.isEmpty, !pps.isEmpty, isKey || !waitsForKey else { return nil }
        if isKey {
            waitsForKey = false
            if format?.sps != sps || format?.pps != pps {
                let size = SequenceParameterSet(nal: sps)?.size ?? unit.size
                format = VideoFormat(sps: sps, pps: pps, size: size, frameRate: frameRate, bitrate: 0)
            }
        }
        return EncodedFrame(kind: .video, isKey: isKey, time: unit.time, data: data)
    }
}
