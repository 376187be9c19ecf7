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
    func play(_ request: PlaybackRequest, for visitor: VisitorID, onlyHead: Bool) async -> RouteOutcome {
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
        if onlyHead { return .answer(.flvStream) }
        return .playback(PlaybackStart(request: request, visitor: visitor, opening: opening, access: self))
    }

    func download(_ request: DownloadRequest, for visitor: VisitorID?, onlyHead: Bool) async -> RouteOutcome {
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
        let start = DownloadStart(request: request, visitor: visitor, file: file, access: self)
        return onlyHead || request.offset == file.length ? .answer(start.answer) : .download(start)
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
    let visitor: VisitorID
    let opening: PlaybackOpening
    fileprivate let access: FootageAccess

    /// Takes the place of the visitor's earlier playback of the channel. Commands reach it from here on.
    func begin(on loop: any EventLoop) -> PlaybackFeed {
        let feed = PlaybackFeed(opening, on: loop, threads: access.threads, clock: access.clock)
        access.visitors.begin(feed, of: visitor, channel: request.channel)
        return feed
    }

    func end(_ feed: PlaybackFeed) {
        feed.cancel()
        access.visitors.end(feed, of: visitor, channel: request.channel)
    }
}

/// A file that was found, for a visitor.
package struct DownloadStart: Sendable {
    let request: DownloadRequest
    /// Nil for one who may have several.
    let visitor: VisitorID?
    let file: SegmentFile
    fileprivate let access: FootageAccess

    var threads: NIOThreadPool { access.threads }

    var answer: HTTPAnswer {
        let name = String(file.segment.name.text.map { $0 == "/" ? "-" : $0 })
        return .file(name: name, bytes: file.length - request.offset)
    }

    /// Frees the place of the visitor's earlier download.
    func endEarlier() {
        if let visitor { access.visitors.endDownload(of: visitor) }
    }

    func begin(_ download: DownloadStream) {
        if let visitor { access.visitors.begin(download, of: visitor) }
    }

    func end(_ download: DownloadStream) {
        if let visitor { access.visitors.end(download, of: visitor) }
    }
}
