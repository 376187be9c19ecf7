import ControlProtocol
import NIOCore
import NIOHTTP1
import Signalling

/// A response. Its body is whole, or absent where `isEndless`.
package struct HTTPAnswer: Sendable {
    package var status: Int
    package var headers: [(name: String, value: String)]
    package var body: ByteBuffer
    /// A stream that ends with the connection; no length is given.
    package var isEndless = false

    package init(status: Int, headers: [(name: String, value: String)] = [], body: ByteBuffer = ByteBuffer()) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    package static func json(_ value: some Encodable, status: Int = 200) -> HTTPAnswer {
        var body = ByteBuffer(bytes: ControlCoding.encode(value))
        body.writeString("\n")
        return HTTPAnswer(
            status: status, headers: [("Content-Type", "application/json"), ("Cache-Control", "no-store")], body: body)
    }

    package static func text(_ text: String, status: Int = 200, type: String = "text/plain; charset=utf-8")
        -> HTTPAnswer
    {
        HTTPAnswer(
            status: status, headers: [("Content-Type", type), ("Cache-Control", "no-store")],
            body: ByteBuffer(string: text))
    }

    package static func error(status: Int, code: String, message: String) -> HTTPAnswer {
        json(ErrorReport(code: code, message: message), status: status)
    }

    package static func error(_ error: ControlError) -> HTTPAnswer {
        json(error.report, status: error.status)
    }

    package static func notFound(_ path: some StringProtocol) -> HTTPAnswer {
        error(status: 404, code: "notFound", message: "there is nothing at \(path.prefix(100))")
    }

    /// To an upgrade that is none (RFC 6455, 4.4).
    static var noHandshake: HTTPAnswer {
        var answer = error(
            status: 400, code: "badRequest", message: "this is not a WebSocket handshake of version 13")
        answer.headers.append(("Sec-WebSocket-Version", "13"))
        return answer
    }

    package static func methodNotAllowed(_ allowed: [HTTPMethod]) -> HTTPAnswer {
        let names = allowed.map(\.rawValue).joined(separator: ", ")
        var answer = error(status: 405, code: "methodNotAllowed", message: "only \(names) can be done here")
        answer.headers.append(("Allow", names))
        return answer
    }

    package static func refusal(_ refusal: RequestRefusal) -> HTTPAnswer {
        var answer = json(RefusalReport(refusal), status: refusal.status)
        if refusal.status == 503 { answer.headers.append(("Retry-After", "5")) }
        return answer
    }

    /// The head of an HTTP-FLV response. Of a live stream the body ends with the connection, so a frame costs no chunk
    /// header; a playback's comes in chunks, where the client knows them, since it has an end.
    package static func flv(isChunked: Bool = false) -> HTTPAnswer {
        var answer = HTTPAnswer(
            status: 200,
            headers: [
                ("Content-Type", "video/x-flv"), ("Cache-Control", "no-cache, no-store"), ("Pragma", "no-cache"),
                ("X-Accel-Buffering", "no"),
            ])
        if isChunked { answer.headers.append(("Transfer-Encoding", "chunked")) }
        answer.isEndless = true
        return answer
    }

    /// The head of a stream of JPEG pictures.
    static var pictures: HTTPAnswer {
        var answer = flv()
        answer.headers[0] = ("Content-Type", "multipart/x-mixed-replace; boundary=\(PictureViewer.boundary)")
        return answer
    }

    /// The head of a download, whose body is sent from the file.
    package static func file(name: String, bytes: Int64) -> HTTPAnswer {
        var answer = HTTPAnswer(
            status: 200,
            headers: [
                ("Content-Type", "application/octet-stream"), ("Cache-Control", "no-store"),
                ("Content-Disposition", "attachment; filename=\"\(name)\""), ("Content-Length", "\(bytes)"),
            ])
        answer.isEndless = true
        return answer
    }

    /// To a range that the file does not have.
    package static func rangeRefused(_ length: Int64) -> HTTPAnswer {
        var answer = error(status: 416, code: "noSuchRange", message: "the recording has \(length) bytes")
        answer.headers.append(("Content-Range", "bytes */\(length)"))
        return answer
    }

    /// The head of a stream of server-sent events.
    package static var eventStream: HTTPAnswer {
        var answer = HTTPAnswer(
            status: 200,
            headers: [
                ("Content-Type", "text/event-stream"), ("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"),
            ])
        answer.isEndless = true
        return answer
    }

    /// The response as it goes over the wire.
    ///
    /// - Parameter extra: header fields that every response carries.
    package func serialized(
        extra: [(name: String, value: String)], keepAlive: Bool, withBody: Bool = true
    ) -> ByteBuffer {
        var text = "HTTP/1.1 \(status) \(HTTPResponseStatus(statusCode: status).reasonPhrase)\r\n"
        for (name, value) in headers + extra { text += "\(name): \(value)\r\n" }
        // 101 says itself what becomes of the connection; 1xx, 204 and 304 have no body (RFC 9110, 6.4.1).
        if status != 101 { text += keepAlive && !isEndless ? "Connection: keep-alive\r\n" : "Connection: close\r\n" }
        if !isEndless, status >= 200, status != 204, status != 304 {
            text += "Content-Length: \(body.readableBytes)\r\n"
        }
        text += "\r\n"
        var buffer = ByteBuffer()
        buffer.reserveCapacity(text.utf8.count + (withBody ? body.readableBytes : 0))
        buffer.writeString(text)
        if withBody { buffer.writeImmutableBuffer(body) }
        return buffer
    }
}

/// `{"error":{"code":…,"message":…}}`, with the numbers of viewers where the device is full.
private struct RefusalReport: Encodable {
    struct Details: Encodable {
        let code: String
        let message: String
        let viewers: Int?
        let limit: Int?
    }

    let error: Details

    init(_ refusal: RequestRefusal) {
        error = Details(
            code: refusal.code, message: refusal.message, viewers: refusal.occupancy?.viewers,
            limit: refusal.occupancy?.limit)
    }
}
