import CX264
import Media
import NIOCore

/// H.264 through libx264. Pictures of either pixel format go in as they are; x264 copies them itself.
package final class X264Encoder: VideoEncoder {
    package let format: VideoFormat
    private let handle: X264Handle
    private var parameters: x264_param_t
    private var picture = x264_picture_t()
    private let size: PictureSize

    package init(_ settings: VideoEncoderSettings) throws(CodecError) {
        var parameters = try Self.parameters(settings)
        handle = try X264Handle(&parameters)
        self.parameters = parameters
        size = settings.size
        x264_picture_init(&picture)
        let (sps, pps) = try handle.parameterSets()
        let bitrate: Int
        if case .bitrate(let value) = settings.rateControl { bitrate = value } else { bitrate = 0 }
        format = VideoFormat(
            sps: sps, pps: pps, size: settings.size, frameRate: settings.frameRate, bitrate: bitrate)
    }

    package func encode(_ source: Picture, forceKeyFrame: Bool) throws(CodecError) -> EncodedFrame? {
        guard source.size == size else {
            throw .unusableSettings(codec: "x264", detail: "a picture of \(source.size), not \(size)")
        }
        picture.i_type = forceKeyFrame ? X264_TYPE_IDR : X264_TYPE_AUTO
        // Only the order of these counts for x264; coming out again they carry the capture time past any look-ahead.
        picture.i_pts = source.time.nanoseconds
        picture.img.i_csp = source.format == .i420 ? X264_CSP_I420 : X264_CSP_NV12
        picture.img.i_plane = Int32(source.planes.count)
        picture.img.plane.0 = source.planes[0].base
        picture.img.i_stride.0 = Int32(source.planes[0].stride)
        picture.img.plane.1 = source.planes[1].base
        picture.img.i_stride.1 = Int32(source.planes[1].stride)
        if source.planes.count > 2 {
            picture.img.plane.2 = source.planes[2].base
            picture.img.i_stride.2 = Int32(source.planes[2].stride)
        }
        return try withExtendedLifetime(source) { () throws(CodecError) in try handle.encode(&picture) }
    }

    package func drain() throws(CodecError) -> EncodedFrame? {
        while handle.delayedFrames > 0 {
            if let frame = try handle.encode(nil) { return frame }
        }
        return nil
    }

    package func setBitrate(_ bitsPerSecond: Int) throws(CodecError) {
        guard parameters.rc.i_rc_method == X264_RC_ABR else { return }
        let kilobits = Int32(clamping: max(bitsPerSecond / 1000, 1))
        guard kilobits != parameters.rc.i_bitrate else { return }
        parameters.rc.i_bitrate = kilobits
        parameters.rc.i_vbv_max_bitrate = kilobits
        parameters.rc.i_vbv_buffer_size = kilobits
        try handle.reconfigure(&parameters)
    }

    private static func parameters(_ settings: VideoEncoderSettings) throws(CodecError) -> x264_param_t {
        var p = x264_param_t()
        guard x264_param_default_preset(&p, settings.preset, settings.tune) == 0 else {
            throw .unusableSettings(codec: "x264", detail: "preset \(settings.preset), tune \(settings.tune)")
        }
        let size = settings.size
        guard size == size.even, size.width >= 16, size.height >= 16 else {
            throw .unusableSettings(codec: "x264", detail: "size \(size); both sides must be even and 16 or more")
        }
        p.i_log_level = X264_LOG_NONE
        p.i_width = Int32(size.width)
        p.i_height = Int32(size.height)
        p.i_csp = X264_CSP_I420
        // Thousandths keep 29.97 and the like.
        p.i_fps_num = UInt32((settings.frameRate * 1000).rounded())
        p.i_fps_den = 1000
        // Rates count pictures, not time stamps.
        p.b_vfr_input = 0
        p.i_threads = Int32(settings.threads)
        p.i_keyint_max = max(1, Int32((settings.keyFrameInterval * settings.frameRate).rounded()))
        p.b_open_gop = 0
        // No B-frames: decoding order is display order, and a live stream waits for nothing.
        p.i_bframe = 0
        // Parameter sets travel in the stream's headers; NAL units are led by their length, as FLV and MP4 want them.
        p.b_repeat_headers = 0
        p.b_annexb = 0
        switch settings.rateControl {
        case .bitrate(let bits):
            let kilobits = Int32(clamping: max(bits / 1000, 1))
            p.rc.i_rc_method = X264_RC_ABR
            p.rc.i_bitrate = kilobits
            p.rc.i_vbv_max_bitrate = kilobits
            p.rc.i_vbv_buffer_size = kilobits
        case .quality(let factor):
            p.rc.i_rc_method = X264_RC_CRF
            p.rc.f_rf_constant = Float(factor)
        }
        guard x264_param_apply_profile(&p, settings.profile) == 0 else {
            throw .unusableSettings(codec: "x264", detail: "profile \(settings.profile)")
        }
        return p
    }
}

/// Owns an open x264 encoder.
private struct X264Handle: ~Copyable {
    private let encoder: OpaquePointer

    init(_ parameters: inout x264_param_t) throws(CodecError) {
        guard let encoder = cx264_encoder_open(&parameters) else {
            throw .unusableSettings(codec: "x264", detail: "the encoder does not open")
        }
        self.encoder = encoder
    }

    deinit { x264_encoder_close(encoder) }

    var delayedFrames: Int { Int(x264_encoder_delayed_frames(encoder)) }

    func reconfigure(_ parameters: inout x264_param_t) throws(CodecError) {
        let code = x264_encoder_reconfig(encoder, &parameters)
        guard code >= 0 else { throw .unusableSettings(codec: "x264", detail: "a bitrate while running (\(code))") }
    }

    func encode(_ picture: UnsafeMutablePointer<x264_picture_t>?) throws(CodecError) -> EncodedFrame? {
        var nals: UnsafeMutablePointer<x264_nal_t>?
        var count: Int32 = 0
        var out = x264_picture_t()
        let bytes = x264_encoder_encode(encoder, &nals, &count, picture, &out)
        guard bytes >= 0 else { throw .encodingFailed(codec: "x264", code: Int(bytes)) }
        guard bytes > 0, let nals, let payload = nals[0].p_payload else { return nil }
        // The payloads of all NAL units lie one behind the other (x264.h).
        var data = EncodedFrame.makeBuffer(capacity: Int(bytes))
        data.writeBytes(UnsafeRawBufferPointer(start: payload, count: Int(bytes)))
        return EncodedFrame(
            kind: .video, isKey: out.b_keyframe != 0, time: MediaTime(nanoseconds: out.i_pts), data: data)
    }

    func parameterSets() throws(CodecError) -> (sps: [UInt8], pps: [UInt8]) {
        var nals: UnsafeMutablePointer<x264_nal_t>?
        var count: Int32 = 0
        var sets: [Int32: [UInt8]] = [:]
        if x264_encoder_headers(encoder, &nals, &count) > 0, let nals {
            for nal in UnsafeBufferPointer(start: nals, count: Int(count)) where nal.i_payload > 4 {
                sets[nal.i_type] = Array(UnsafeBufferPointer(start: nal.p_payload + 4, count: Int(nal.i_payload) - 4))
            }
        }
        guard let sps = sets[Int32(H264.NALType.sps)], let pps = sets[Int32(H264.NALType.pps)] else {
            throw .encodingFailed(codec: "x264", code: 0)
        }
        return (sps, pps)
    }
}
