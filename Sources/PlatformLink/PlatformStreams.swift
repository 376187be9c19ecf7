import Media
import PlatformProtocol
import Publishing
import Streaming

/// The media connections that a platform has opened: what of them runs, and what each command means for them. A value.
package struct PlatformStreams: Sendable {
    /// Streams of different kinds of one channel live beside each other.
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case live, talk, listen, broadcast, playback

        /// Of 0x9101; nil for what is no stream.
        init?(dataType: UInt8) {
            switch dataType {
            case 0, 1: self = .live
            case 2: self = .talk
            case 3: self = .listen
            case 4: self = .broadcast
            default: return nil
            }
        }
    }

    /// Names a stream from its opening to its end.
    package struct Token: Sendable, Hashable {
        package let rawValue: UInt64
        package init(rawValue: UInt64) { self.rawValue = rawValue }
    }

    package struct Stream: Sendable, Hashable {
        package let token: Token
        package let kind: Kind
        /// Logical.
        package let channel: UInt8
        package let channelID: Int
        package let address: JT1078Address
        package var quality: StreamQuality
        /// What was asked for.
        package var wanted: TrackSelection
        package var isSoundOff = false
        package var arePicturesOff = false
        package var isPaused = false
        package var isPublishing = false

        /// Nil where both are off.
        package var tracks: TrackSelection? {
            switch (wanted, arePicturesOff, isSoundOff) {
            case (.all, false, false): .all
            case (.all, false, true), (.video, false, _): .video
            case (.all, true, false), (.audio, _, false): .audio
            case (.all, true, true), (.video, true, _), (.audio, _, true): nil
            }
        }
    }

    package enum Order: Sendable, Hashable {
        case open(Stream)
        case change(Token, StreamQuality, TrackSelection)
        case setPaused(Token, Bool)
        case requestKeyFrame(Token)
        /// As the platform wants it.
        case close(Token)
        /// For a reason of the terminal's own.
        case giveUp(Token, CloseCause)
        case controlPlayback(Token, JT1078PlaybackControl)
    }

    package private(set) var all: [Stream] = []
    private var lastToken: UInt64 = 0
    /// More are refused.
    package static let maximum = 64

    package init() {}

    package subscript(token: Token) -> Stream? { all.first { $0.token == token } }

    private func stream(_ channel: UInt8, _ kind: Kind) -> Int? {
        all.firstIndex { $0.channel == channel && $0.kind == kind }
    }

    private mutating func makeToken() -> Token {
        lastToken += 1
        return Token(rawValue: lastToken)
    }

    // MARK: 0x9101

    package mutating func open(
        _ request: JT1078LiveRequest, settings: PlatformSettings, view: TerminalView
    ) -> (JT808Result, [Order]) {
        guard request.dataType <= 5, request.stream <= 1, request.address.isComplete else { return (.badMessage, []) }
        guard let known = settings.channel(request.channel), let channel = view.channels[known.id] else {
            return (.failed, [])
        }
        guard let (kind, wanted) = Self.meaning(request.dataType, channel, view) else { return (.unsupported, []) }
        let quality: StreamQuality = request.stream == 1 && channel.sub != nil ? .sub : .main
        if let index = stream(request.channel, kind), all[index].address == request.address {
            return (.done, repeated(index, quality, wanted))
        }
        if kind == .live, wanted != .audio, channel.isCameraLost { return (.failed, []) }
        // A talk of another one keeps its place; one of ours makes room.
        let isOurTalk = stream(request.channel, kind) != nil
        if kind == .talk || kind == .broadcast, view.isSomebodyTalking, !isOurTalk { return (.failed, []) }
        if kind == .talk || kind == .broadcast,
            all.contains(where: { ($0.kind == .talk || $0.kind == .broadcast) && $0.channel != request.channel })
        {
            return (.failed, [])
        }
        guard all.count < Self.maximum, view.roomForStreams > 0 else { return (.failed, []) }
        let new = Stream(
            token: makeToken(), kind: kind, channel: request.channel, channelID: known.id, address: request.address,
            quality: quality, wanted: wanted)
        var orders = [Order.open(new)]
        if let index = stream(request.channel, kind) { orders.append(.close(all.remove(at: index).token)) }
        all.append(new)
        return (.done, orders)
    }

    /// The same target again: what differs is changed in place, and a platform that waits for data gets a key frame.
    private mutating func repeated(
        _ index: Int, _ quality: StreamQuality, _ wanted: TrackSelection
    ) -> [Order] {
        var orders: [Order] = []
        let before = all[index]
        all[index].quality = quality
        all[index].wanted = wanted
        all[index].isSoundOff = false
        all[index].arePicturesOff = false
        if before.isPaused {
            all[index].isPaused = false
            orders.append(.setPaused(before.token, false))
        }
        guard before.quality == quality, before.tracks == wanted else {
            return orders + [.change(before.token, quality, wanted)]
        }
        return orders + [.requestKeyFrame(before.token)]
    }

    /// Nil for what the channel or the device never has.
    private static func meaning(
        _ dataType: UInt8, _ channel: TerminalView.Channel, _ view: TerminalView
    ) -> (Kind, TrackSelection)? {
        switch dataType {
        case 0: (.live, channel.hasVideo ? (channel.hasAudio ? .all : .video) : .audio)
        case 1: channel.hasVideo ? (.live, .video) : nil
        case 2: channel.hasAudio && view.hasSpeaker ? (.talk, .audio) : nil
        case 3: channel.hasAudio ? (.listen, .audio) : nil
        case 4: view.hasSpeaker ? (.broadcast, .audio) : nil
        default: nil
        }
    }

    // MARK: 0x9102

    package mutating func control(_ request: JT1078LiveControl) -> (JT808Result, [Order]) {
        switch request.command {
        case 0: close(request)
        case 1: switchStream(request)
        case 2: (.done, setPaused(request.channel, true))
        case 3: (.done, setPaused(request.channel, false))
        case 4: (.done, close { $0.channel == request.channel && $0.kind == .talk })
        default: (.badMessage, [])
        }
    }

    private mutating func close(_ request: JT1078LiveControl) -> (JT808Result, [Order]) {
        switch request.closes {
        case 0:
            // Neither of talk and live stops the other; a platform that has but the talk means that.
            let orders = close {
                $0.channel == request.channel && [.live, .listen, .broadcast].contains($0.kind)
            }
            return (.done, orders.isEmpty ? close { $0.channel == request.channel && $0.kind == .talk } : orders)
        case 1: return (.done, turnOff(request.channel) { $0.isSoundOff = true })
        case 2: return (.done, turnOff(request.channel) { $0.arePicturesOff = true })
        default: return (.badMessage, [])
        }
    }

    private mutating func close(_ isMeant: (Stream) -> Bool) -> [Order] {
        let leaving = all.filter(isMeant)
        all.removeAll(where: isMeant)
        return leaving.map { .close($0.token) }
    }

    private mutating func turnOff(_ channel: UInt8, _ change: (inout Stream) -> Void) -> [Order] {
        guard let index = stream(channel, .live) else { return [] }
        let before = all[index].tracks
        change(&all[index])
        guard all[index].tracks != before else { return [] }
        guard let tracks = all[index].tracks else { return [.close(all.remove(at: index).token)] }
        return [.change(all[index].token, all[index].quality, tracks)]
    }

    private mutating func switchStream(_ request: JT1078LiveControl) -> (JT808Result, [Order]) {
        guard request.stream <= 1 else { return (.badMessage, []) }
        let quality: StreamQuality = request.stream == 1 ? .sub : .main
        guard let index = stream(request.channel, .live), let tracks = all[index].tracks,
            all[index].quality != quality
        else { return (.done, []) }
        all[index].quality = quality
        return (.done, [.change(all[index].token, quality, tracks)])
    }

    private mutating func setPaused(_ channel: UInt8, _ isPaused: Bool) -> [Order] {
        var orders: [Order] = []
        for index in all.indices
        where all[index].channel == channel && all[index].kind != .playback && all[index].isPaused != isPaused {
            all[index].isPaused = isPaused
            orders.append(.setPaused(all[index].token, isPaused))
        }
        return orders
    }

    // MARK: 0x9201, 0x9202

    /// A playback whose recordings were found. One of the same channel gives way.
    package mutating func openPlayback(
        _ request: JT1078PlaybackRequest, channelID: Int, quality: StreamQuality
    ) -> [Order]? {
        let leaving = close { $0.channel == request.channel && $0.kind == .playback }
        guard all.count < Self.maximum else { return nil }
        let wanted: TrackSelection = request.mediaType == 1 ? .audio : request.mediaType == 2 ? .video : .all
        let new = Stream(
            token: makeToken(), kind: .playback, channel: request.channel, channelID: channelID,
            address: request.address, quality: quality, wanted: wanted)
        all.append(new)
        return [.open(new)] + leaving
    }

    package mutating func controlPlayback(_ request: JT1078PlaybackControl) -> (JT808Result, [Order]) {
        guard request.command <= 6, request.speed <= 5 else { return (.badMessage, []) }
        if request.command == 5, request.position.milliseconds() == nil { return (.badMessage, []) }
        guard let index = stream(request.channel, .playback) else {
            // What ended by itself may be ended again.
            return (request.command == 2 ? .done : .failed, [])
        }
        let token = all[index].token
        if request.command == 2 {
            all.remove(at: index)
            return (.done, [.close(token)])
        }
        return (.done, [.controlPlayback(token, request)])
    }

    // MARK: What became of them

    package mutating func published(_ token: Token) -> Stream? {
        guard let index = all.firstIndex(where: { $0.token == token }) else { return nil }
        all[index].isPublishing = true
        return all[index]
    }

    /// By itself.
    package mutating func ended(_ token: Token) -> Stream? {
        all.firstIndex { $0.token == token }.map { all.remove(at: $0) }
    }

    /// All of them, as when the platform is away for too long.
    package mutating func giveUpAll(_ cause: CloseCause) -> [Order] {
        defer { all = [] }
        return all.map { .giveUp($0.token, cause) }
    }

    /// The stream whose reception 0x9105 speaks of.
    package func received(_ channel: UInt8) -> Stream? { stream(channel, .live).map { all[$0] } }
}

extension JT1078Address {
    package var isComplete: Bool { !host.isEmpty && (tcpPort != 0 || udpPort != 0) }
    /// TCP where both are given.
    package var isDatagram: Bool { tcpPort == 0 }
    package var port: Int { Int(tcpPort == 0 ? udpPort : tcpPort) }
}
