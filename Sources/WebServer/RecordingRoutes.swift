import ControlProtocol
import NIOCore
import NIOHTTP1
import Recording
import Signalling

/// The control API's part on recordings:
///
/// - `GET files?channel=&from=&to=&limit=`
/// - `GET files/CHANNEL/DAY/NAME?offset=`, `DELETE files/CHANNEL/DAY/NAME`
/// - `PUT files/CHANNEL/DAY/NAME/protection`, `DELETE` the same
/// - `PUT channels/ID/recording`, `DELETE channels/ID/recording?stream=`
package struct RecordingRoutes: Sendable {
    /// One answer has at most so many files.
    package static let maximumFiles = 10_000

    private let control: any RecordingControl
    private let footage: FootageAccess

    package init(control: any RecordingControl, footage: FootageAccess) {
        self.control = control
        self.footage = footage
    }

    /// Nil where it is none of these.
    func route(_ request: HTTPRequest, _ path: ArraySlice<Substring>) -> RouteOutcome? {
        let parts = Array(path)
        switch (parts.first, parts.count) {
        case ("files", 1): return list(request)
        case ("files", 4): return file(request, parts) { file(request, channel: $0, $1) }
        case ("files", 5) where parts[4] == "protection":
            return file(request, parts) { protection(request, channel: $0, $1) }
        case ("channels", 3) where parts[2] == "recording":
            guard let channel = Int(parts[1]) else { return .answer(.notFound(request.path)) }
            return recording(request, channel: channel)
        default: return nil
        }
    }

    private func file(
        _ request: HTTPRequest, _ parts: [Substring], _ body: (Int, SegmentName) -> RouteOutcome
    ) -> RouteOutcome {
        guard let channel = Int(parts[1]), let name = SegmentName("\(parts[2])/\(parts[3])") else {
            return .answer(.notFound(request.path))
        }
        return body(channel, name)
    }

    private func list(_ request: HTTPRequest) -> RouteOutcome {
        guard request.method == .GET || request.method == .HEAD else {
            return .answer(.methodNotAllowed([.GET, .HEAD]))
        }
        guard let query = try? RequestQuery(request.query), let channel = number("channel", query),
            let from = number("from", query), let to = number("to", query), let limit = number("limit", query)
        else { return .answer(.error(.badRequest("channel, from, to and limit are whole numbers"))) }
        let start = Int64(from ?? 0)
        let end = max(start, to.map(Int64.init) ?? .max)
        let count = min(limit ?? Self.maximumFiles, Self.maximumFiles)
        return .answering { [control] () async throws(ControlError) in
            .json(try await control.files(channel: channel, in: start..<end, limit: count))
        }
    }

    /// Nil where it is not a number; nil inside where it is not there.
    private func number(_ key: String, _ query: RequestQuery) -> Int?? {
        switch query.number(key) {
        case .missing: .some(nil)
        case .value(let number): .some(number)
        case .unreadable: nil
        }
    }

    private func file(_ request: HTTPRequest, channel: Int, _ name: SegmentName) -> RouteOutcome {
        switch request.method {
        case .GET, .HEAD:
            guard let query = try? RequestQuery(request.query), let offset = number("offset", query) else {
                return .answer(.error(.badRequest("offset is a whole number of bytes")))
            }
            let order = DownloadRequest(channel: channel, name: name.text, offset: Int64(offset ?? 0))
            let isHead = request.method == .HEAD
            return .later { [footage] in await footage.download(order, for: nil, onlyHead: isHead) }
        case .DELETE:
            return .answering { [control] () async throws(ControlError) in
                .json(try await control.delete(channel: channel, name: name))
            }
        default: return .answer(.methodNotAllowed([.GET, .HEAD, .DELETE]))
        }
    }

    private func protection(_ request: HTTPRequest, channel: Int, _ name: SegmentName) -> RouteOutcome {
        guard request.method == .PUT || request.method == .DELETE else {
            return .answer(.methodNotAllowed([.PUT, .DELETE]))
        }
        let isProtected = request.method == .PUT
        return .answering { [control] () async throws(ControlError) in
            .json(try await control.setProtected(isProtected, channel: channel, name: name))
        }
    }

    private func recording(_ request: HTTPRequest, channel: Int) -> RouteOutcome {
        switch request.method {
        case .PUT:
            let order: RecordOrder
            do throws(ControlCodingError) {
                order =
                    request.body.readableBytes == 0
                    ? RecordOrder() : try ControlCoding.decode(RecordOrder.self, from: request.body.readableBytesView)
            } catch {
                return .answer(.error(.badRequest("the order to record: \(error.message)")))
            }
            return .answering { [control] () async throws(ControlError) in
                .json(try await control.record(channel: channel, order))
            }
        case .DELETE:
            guard let query = try? RequestQuery(request.query),
                let stream = CodeStream(rawValue: query["stream"].flatMap { $0.isEmpty ? nil : $0 } ?? "main")
            else { return .answer(.error(.badRequest("stream is main or sub"))) }
            return .answering { [control] () async throws(ControlError) in
                .json(try await control.endRecord(channel: channel, stream: stream))
            }
        default: return .answer(.methodNotAllowed([.PUT, .DELETE]))
        }
    }
}
