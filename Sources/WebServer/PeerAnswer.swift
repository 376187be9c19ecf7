import ControlProtocol
import NIOCore
import PeerToPeer

/// The first message of an answer on a data channel: `{"status":200,"headers":{"Content-Type":"video/x-flv"}}`.
private struct PeerAnswerHead: Encodable {
    let status: Int
    let headers: [String: String]
}

extension DataChannel {
    /// The head, and the body where it is whole.
    func send(_ answer: HTTPAnswer) {
        let headers = Dictionary(answer.headers.map { ($0.name, $0.value) }) { first, _ in first }
        let head = ControlCoding.encode(PeerAnswerHead(status: answer.status, headers: headers))
        send(ByteBuffer(bytes: head), isText: true)
        var body = answer.body
        while let piece = body.readSlice(length: min(body.readableBytes, messageBytes)), piece.readableBytes > 0 {
            send(piece)
        }
    }
}
