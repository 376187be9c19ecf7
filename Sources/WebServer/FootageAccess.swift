import Media
import NIOCore
import NIOPosix
import Recording
import Signalling
import Streaming

/// Recorded footage for those who come over the network: looks for it on threads that may wait for the disk.
package struct FootageAccess: Sendable {
    package typealias Source = @Sendable () throws(StorageFailure) -> (any FootageSource)?

    private let source: Source
    fileprivate let visitors: VisitorTable
    fileprivate let threads: NIOThreadPool
    fileprivate let clock: any MediaClock

    /// - Parameter source: nil where nothing is recorded and nothing ever was; throws while the disk is away.
    package init(
        source: @escaping Source, visitors: VisitorTable, threads: NIOThreadPool, clock: any MediaClock
    ) {
        self.source = source
        self.visitors = visitors
        self.threads = threads
        self.clock = clock
    }

    /// The request's own earlier playback is not looked at here; it is replaced when this one begins.
    ///
    /// - Parameter tracks: `.all` or `.audio`.
    func play(
        _ request: PlaybackRequest, tracks: TrackSelection, for viewer: ViewerIdentity, onlyHead: Bool
    ) async -> RouteOutcome {
        let opening = await onThread { source in
            let kind = request.type.flatMap(RecordingKind.init(rawValue:))
            guard request.type == nil || kind != nil else { return PlaybackOpening?.none }
            return PlaybackOpening(
                channel: request.channel, range: request.range, from: .milliseconds(request.progress), kind: kind,
                source: source)
        }
        guard let opening else {
            return .answer(.refusal(.notFound("nothing of channel \(request.channel) is recorded in this range")))
        }
        if onlyHead { return .answer(.flv()) }
        return .playback(
            PlaybackStart(request: request, tracks: tracks, viewer: viewer, opening: opening, access: self))
    }

    /// - Parameter part: what is wanted of what lies behind the request's offset; nil for all.
    func download(
        _ request: DownloadRequest, part: DownloadPart? = nil, for viewer: ViewerIdentity?, onlyHead: Bool
    ) async -> RouteOutcome {
        let file = await onThread { source -> SegmentFile? in
            let segment = try? source.segment(channel: request.channel, name: request.name)
            return segment.flatMap { try? source.open($0) }
        }
        guard let file else {
            return .answer(.refusal(.notFound("channel \(request.channel) has no recording of this name")))
        }
        guard request.offset <= file.length else {
            return .answer(.refusal(.notFound("the recording has \(file.length) bytes")))
        }
        let whole = request.offset..<file.length
        var start = DownloadStart(channel: request.channel, bytes: whole, viewer: viewer, file: file, access: self)
        // What is still growing has no parts that would fit together later.
        if let part, request.offset == 0, file.segment.state == .closed, part.isOf(file) {
            guard let bytes = part.range.bytes(of: file.length) else { return .answer(.rangeRefused(file.length)) }
            start.part = bytes
        }
        return onlyHead || start.wanted.isEmpty ? .answer(start.answer) : .download(start)
    }

    private func onThread<Value: Sendable>(
        _ work: @escaping @Sendable (any FootageSource) -> Value?
    ) async -> Value? {
        try? await ask(work) ?? nil
    }

    /// Nil where nothing is ever recorded.
    package func ask<Value: Sendable>(
        _ question: @escaping @Sendable (any FootageSource) throws -> Value
    ) async throws -> Value? {
        guard let source = try source() else { return nil }
        return try await threads.runIfActive { try question(source) }
    }
}

/// A playback that was found, for a visitor.
package struct PlaybackStart: Sendable {
    let request: PlaybackRequest
    let tracks: TrackSelection
    let viewer: ViewerIdentity
    let opening: PlaybackOpening
    fileprivate let access: FootageAccess

    private var place: VisitorTable.Place {
        .init(
            visitor: viewer.visitor, channel: request.channel, kind: tracks == .audio ? .playbackAudio : .playback)
    }

    /// Takes the place of the visitor's earlier playback of the channel. Commands reach it from here on.
    func begin(on loop: any EventLoop) -> PlaybackFeed {
        let feed = PlaybackFeed(opening, on: loop, threads: access.threads, clock: access.clock)
        access.visitors.begin(feed, at: place)
        return feed
    }

    func end(_ feed: PlaybackFeed) {
        feed.cancel()
        access.visitors.end(feed, at: place)
    }
}

/// A part of a file, if it still is the one that the client has the rest of (RFC 9110, 13.1.5).
package struct DownloadPart: Sendable {
    let range: ByteRange
    /// The tag of the file that is meant; nil for whichever there is.
    let tag: String?

    func isOf(_ file: SegmentFile) -> Bool { tag == nil || tag == file.tag }
}

extension SegmentFile {
    /// No other file ever has this name, and a closed one does not change.
    var tag: String { "\"\(segment.name.text)\"" }
}

/// A file that was found, for a visitor.
package struct DownloadStart: Sendable {
    let channel: Int
    /// From the request's offset on.
    let bytes: Range<Int64>
    var part: Range<Int64>?
    /// Nil for whoever commands the agent, and may have several, also where the device is full.
    let viewer: ViewerIdentity?
    let file: SegmentFile
    fileprivate let access: FootageAccess

    var threads: NIOThreadPool { access.threads }

    /// What is sent of it.
    var wanted: Range<Int64> { part ?? bytes }

    var answer: HTTPAnswer {
        let name = String(file.segment.name.text.map { $0 == "/" ? "-" : $0 })
        var answer = HTTPAnswer.file(name: name, bytes: Int64(wanted.count))
        if file.segment.state == .closed, bytes.lowerBound == 0 {
            answer.headers += [("Accept-Ranges", "bytes"), ("ETag", file.tag)]
        }
        if let part {
            answer.status = 206
            answer.headers.append(
                ("Content-Range", "bytes \(part.lowerBound)-\(part.upperBound - 1)/\(file.length)"))
        }
        return answer
    }

    /// Frees the place of the visitor's earlier download.
    func endEarlier() {
        if let viewer { access.visitors.endDownload(of: viewer.visitor) }
    }

    func begin(_ download: DownloadStream) {
        if let viewer { access.visitors.begin(download, of: viewer.visitor) }
    }

    func end(_ download: DownloadStream) {
        if let viewer { access.visitors.end(download, of: viewer.visitor) }
    }
}
