import Media

/// Makes H.264 out of pictures. Belongs to one thread at a time; encoding blocks.
package protocol VideoEncoder: AnyObject {
    /// Parameter sets and sizes of what comes out; fixed while the encoder lives.
    var format: VideoFormat { get }

    /// The picture is read during the call only. Nil where the encoder looks ahead and has nothing to give yet.
    func encode(_ picture: Picture, forceKeyFrame: Bool) throws(CodecError) -> EncodedFrame?

    /// From the next picture on, in bits a second. Without effect at constant quality.
    func setBitrate(_ bitsPerSecond: Int) throws(CodecError)

    /// What the encoder still holds, one frame a call; nil at the end.
    func drain() throws(CodecError) -> EncodedFrame?
}
