/// A request for bytes that flow: `action=live`, `action=playback`, `action=download`, and the parts of a stream for
/// those who take pictures and sound apart.
package enum StreamRequest: Sendable, Hashable {
    case live(LiveRequest)
    /// Sound only, as FLV.
    case liveAudio(LiveRequest)
    /// JPEG pictures, multipart.
    case livePictures(LiveRequest)
    case playback(PlaybackRequest)
    /// Sound only, as FLV.
    case playbackAudio(PlaybackRequest)
    case download(DownloadRequest)

    /// Checks in the order that viewers rely on: channel, action, parameters.
    ///
    /// - Parameter hasChannel: whether there is a channel of this number.
    package init(_ query: RequestQuery, hasChannel: (Int) -> Bool) throws(RequestRefusal) {
        let channel = try query.channel(hasChannel)
        guard query["action"]?.isEmpty == false else {
            throw .notFound("the request names no action; known are \(Self.actions)")
        }
        switch StreamAction(query) {
        case .live: self = .live(try LiveRequest(channel: channel, query))
        case .liveAudio: self = .liveAudio(try LiveRequest(channel: channel, query))
        case .livePictures: self = .livePictures(try LiveRequest(channel: channel, query))
        case .playback: self = .playback(try PlaybackRequest(channel: channel, query))
        case .playbackAudio: self = .playbackAudio(try PlaybackRequest(channel: channel, query))
        case .download: self = .download(try DownloadRequest(channel: channel, query))
        case nil: throw .notFound("there is no action of this name; known are \(Self.actions)")
        }
    }

    private static let actions = StreamAction.allCases.map(\.rawValue).joined(separator: ", ")

    package var channel: Int {
        switch self {
        case .live(let live), .liveAudio(let live), .livePictures(let live): live.channel
        case .playback(let playback), .playbackAudio(let playback): playback.channel
        case .download(let download): download.channel
        }
    }
}

extension RequestQuery {
    /// A request without a channel means channel 0.
    package func channel(_ hasChannel: (Int) -> Bool) throws(RequestRefusal) -> Int {
        let channel: Int
        switch number("channel") {
        case .missing: channel = 0
        case .value(let number): channel = number
        case .unreadable: throw .notFound("the channel is not a number")
        }
        guard hasChannel(channel) else { throw .notFound("there is no channel \(channel)") }
        return channel
    }

    /// Seconds since 1970, UTC; nil where there are none that make sense.
    func seconds(_ key: String) -> Int64? {
        guard case .value(let seconds) = number(key), seconds <= Self.latestSecond else { return nil }
        return Int64(seconds)
    }

    /// The end of the year 9999.
    private static let latestSecond = 253_402_300_799
}
