import Media
import NIOCore

/// What the body of an FLV tag says (annex E.4.2 to E.4.4).
package enum FLVPayload: Sendable {
    /// AVCDecoderConfigurationRecord.
    case avcSequenceHeader([UInt8])
    case avc(isKey: Bool, compositionOffset: Int32, data: ByteBuffer)
    case avcEnd
    /// AudioSpecificConfig.
    case aacSequenceHeader([UInt8])
    case aac(ByteBuffer)
    case script(name: String, AMF0)
    /// A codec or packet type that EdgeAgent does not use.
    case other

    /// Nil where the body breaks off.
    package init?(_ tag: FLVReader.Tag) {
        var body = tag.body
        switch tag.kind {
        case .video:
            guard let head: UInt8 = body.readInteger() else { return nil }
            guard head & 0x0F == 7, head & 0x80 == 0 else {
                self = .other
                return
            }
            guard let rest: UInt32 = body.readInteger() else { return nil }
            let offset = Int32(bitPattern: rest << 8) >> 8
            switch rest >> 24 {
            case 0: self = .avcSequenceHeader(Array(body.readableBytesView))
            case 1: self = .avc(isKey: head >> 4 == 1, compositionOffset: offset, data: body)
            case 2: self = .avcEnd
            default: self = .other
            }
        case .audio:
            guard let head: UInt8 = body.readInteger() else { return nil }
            guard head >> 4 == 10 else {
                self = .other
                return
            }
            guard let type: UInt8 = body.readInteger() else { return nil }
            switch type {
            case 0: self = .aacSequenceHeader(Array(body.readableBytesView))
            case 1: self = .aac(body)
            default: self = .other
            }
        case .script:
            guard case .string(let name)? = try? AMF0.read(from: &body), let value = try? AMF0.read(from: &body)
            else { return nil }
            self = .script(name: name, value)
        }
    }
}
