import Media
import PlatformProtocol
import Publishing
import Streaming

/// What each command means.
extension PlatformSession {
    mutating func perform(
        _ message: JT808Message, _ serial: UInt16, _ now: MediaTime, _ view: TerminalView
    ) -> [Action] {
        let id = message.id
        switch message {
        case .setParameters(let body):
            var changed = parameters
            let result = changed.set(body.parameters)
            let kept = result == .done ? keep(changed) : []
            return kept + answer(serial, id, result, now) + moveIfWanted(now)
        case .queryAllParameters: return answerParameters(nil, serial, id, now, view)
        case .queryParameters(let body): return answerParameters(body.ids, serial, id, now, view)
        case .queryAttributes: return answer(serial, id, with: .attributes(attributes), now)
        case .queryLocation:
            return answer(
                serial, id, with: .locationAnswer(JT808LocationAnswer(answers: serial, location: location(view))), now)
        case .track(let body):
            track(every: .seconds(Int64(body.interval)), for: .seconds(Int64(body.validity)), now)
            return answer(serial, id, .done, now)
        case .queryMediaAttributes:
            return answer(serial, id, with: .mediaAttributes(mediaAttributes(view)), now)
        case .openLive(let body):
            let (result, orders) = streams.open(body, settings: settings, view: view)
            return answer(serial, id, result, now) + orders.map(Action.stream)
                + refused(PlatformStreams.Kind(dataType: body.dataType), body.channel, result)
        case .controlLive(let body):
            let (result, orders) = streams.control(body)
            return answer(serial, id, result, now) + orders.map(Action.stream)
        case .transmissionStatus(let body):
            let stream = streams.received(body.channel)
            return answer(serial, id, .done, now)
                + (stream.map { [.lossRate($0.token, Int(min(body.lossRate, 100)))] } ?? [])
        default: return performOnRecordings(message, serial, now, view)
        }
    }

    /// What the platform's viewers are told of an answer other than 0.
    private func refused(_ kind: PlatformStreams.Kind?, _ channel: UInt8, _ result: JT808Result) -> [Action] {
        result == .done ? [] : [.refusedStream(kind, channelID: settings.channel(channel)?.id, result)]
    }

    private mutating func performOnRecordings(
        _ message: JT808Message, _ serial: UInt16, _ now: MediaTime, _ view: TerminalView
    ) -> [Action] {
        let id = message.id
        switch message {
        case .queryResources(let body):
            return [.find(PlatformSearch(serial: serial, selection: body.selection, purpose: .list))]
        case .openPlayback(let body): return openPlayback(body, serial, now)
        case .controlPlayback(let body):
            let (result, orders) = streams.controlPlayback(body)
            return answer(serial, id, result, now) + orders.map(Action.stream)
        case .upload(let body):
            guard view.hasRecordings else { return answer(serial, id, .unsupported, now) }
            guard !body.host.isEmpty, body.port != 0 else { return answer(serial, id, .badMessage, now) }
            return answer(serial, id, .done, now) + [.upload(serial: serial, body)]
        case .controlUpload(let body):
            guard body.control <= 2 else { return answer(serial, id, .badMessage, now) }
            return answer(serial, id, .done, now) + [.controlUpload(body)]
        default: return performMotion(message, serial, now, view)
        }
    }

    // MARK: Parameters and attributes

    private mutating func answerParameters(
        _ ids: [UInt32]?, _ serial: UInt16, _ id: UInt16, _ now: MediaTime, _ view: TerminalView
    ) -> [Action] {
        let list = JT808ParameterAnswer(answers: serial, parameters: parameters.list(ids, view: view))
        return answer(serial, id, with: .parameters(list), now)
    }

    private var attributes: JT808Attributes {
        let identity = parameters.identity
        // Recording on disk; GPS, which stands for whatever the position is from; a network of another kind.
        return JT808Attributes(
            type: 1 << 6, manufacturer: identity.manufacturer, model: identity.model, terminalID: identity.terminalID,
            iccid: identity.iccid, hardware: "", firmware: identity.firmware, gnss: 1, network: 1 << 7,
            version: settings.version)
    }

    private func mediaAttributes(_ view: TerminalView) -> JT1078Attributes {
        let channels = settings.channels.compactMap { view.channels[$0.id] }
        let isAAC = settings.audio == .aac
        return JT1078Attributes(
            audioCodec: settings.audio.payloadType,
            audioChannels: isAAC ? UInt8(clamping: view.audioChannels) : 1,
            sampleRate: isAAC ? Self.rateCode(view.audioRate) : 0, sampleBits: 1, frameLength: isAAC ? 1024 : 320,
            hasAudioOutput: view.hasSpeaker, videoCodec: JT1078Header.Codec.h264,
            maximumAudioChannels: UInt8(clamping: channels.count { $0.hasAudio }),
            maximumVideoChannels: UInt8(clamping: channels.count { $0.hasVideo }))
    }

    /// The nearest of those the message has.
    private static func rateCode(_ rate: Int) -> UInt8 {
        switch rate {
        case ..<15000: 0
        case ..<33000: 1
        case ..<46000: 2
        default: 3
        }
    }

    // MARK: Recordings

    private mutating func openPlayback(
        _ request: JT1078PlaybackRequest, _ serial: UInt16, _ now: MediaTime
    ) -> [Action] {
        guard request.address.isComplete, request.mode <= 4, request.speed <= 5, request.mediaType <= 3,
            request.stream <= 2, request.start.milliseconds() != nil
        else { return answerPlayback(request, serial, .badMessage, [], now) }
        guard settings.channel(request.channel) != nil else {
            return answerPlayback(request, serial, .failed, [], now)
        }
        // Where the list alone is the answer, it is waited for.
        guard settings.playbackAnswer == .list || expect(serial, 0x9201, now) else {
            return answerPlayback(request, serial, .failed, [], now)
        }
        let selection = JT1078Selection(
            channel: request.channel, start: request.start, end: request.mode == 4 ? request.start : request.end,
            mediaType: request.mediaType, stream: request.stream, storage: request.storage)
        return [.find(PlatformSearch(serial: serial, selection: selection, purpose: .playback(request)))]
    }

    /// - Parameter quality: of the stream that can be played.
    package mutating func found(
        _ search: PlatformSearch, _ records: [JT1078ResourceList.Record], quality: StreamQuality?, now: MediaTime
    ) -> [Action] {
        guard state == .online else { return [] }
        guard case .playback(let request) = search.purpose else {
            let list = JT1078ResourceList(answers: search.serial, records: records)
            return answer(search.serial, 0x9205, with: .resourceList(list), now)
        }
        // Where the disk took its time, the word that it will be tried has gone out.
        let isAnswered = !unanswered.contains { $0.serial == search.serial && $0.id == 0x9201 }
        guard let quality, let channel = settings.channel(request.channel),
            let orders = streams.openPlayback(request, channelID: channel.id, quality: quality)
        else { return answerPlayback(request, search.serial, .failed, [], now, isAnswered: isAnswered) }
        return answerPlayback(request, search.serial, .done, records, now, isAnswered: isAnswered)
            + orders.map(Action.stream)
    }

    /// Whether a command may wait for what carries it out; too many do not.
    private mutating func expect(_ serial: UInt16, _ id: UInt16, _ now: MediaTime) -> Bool {
        guard unanswered.count < Self.maximumUnanswered else { return false }
        unanswered.append((serial, id, now + Self.answerLimit))
        return true
    }

    private mutating func answerPlayback(
        _ request: JT1078PlaybackRequest, _ serial: UInt16, _ result: JT808Result,
        _ records: [JT1078ResourceList.Record], _ now: MediaTime, isAnswered: Bool = false
    ) -> [Action] {
        var actions: [Action] = []
        if settings.playbackAnswer != .list || result == .badMessage, !isAnswered {
            actions += answer(serial, 0x9201, result, now)
        }
        unanswered.removeAll { $0.serial == serial && $0.id == 0x9201 }
        if settings.playbackAnswer != .general, result != .badMessage {
            let list = JT1078ResourceList(answers: serial, records: records)
            actions += answer(serial, 0x9201, with: .resourceList(list), now)
        }
        return actions + refused(.playback, request.channel, result)
    }

    // MARK: Heads

    private mutating func performMotion(
        _ message: JT808Message, _ serial: UInt16, _ now: MediaTime, _ view: TerminalView
    ) -> [Action] {
        let id = message.id
        let order: (channel: UInt8, motion: PlatformMove.Motion?)
        switch message {
        case .turn(let body): order = (body.channel, Self.turn(body))
        case .focus(let body): order = (body.channel, Self.pick(body, .focusFar, .focusNear))
        case .iris(let body): order = (body.channel, Self.pick(body, .irisOpen, .irisClose))
        case .wiper(let body): order = (body.channel, Self.pick(body, .wiper(false), .wiper(true)))
        case .infrared(let body): order = (body.channel, Self.pick(body, .infrared(false), .infrared(true)))
        case .zoom(let body): order = (body.channel, Self.pick(body, .zoomIn, .zoomOut))
        default: return answer(serial, id, .unsupported, now)
        }
        guard let motion = order.motion else { return answer(serial, id, .badMessage, now) }
        guard let channel = settings.channel(order.channel), view.channels[channel.id]?.hasPTZ == true else {
            return answer(serial, id, .unsupported, now)
        }
        guard expect(serial, id, now) else { return answer(serial, id, .failed, now) }
        return [.move(PlatformMove(serial: serial, id: id, channelID: channel.id, motion: motion))]
    }

    private static func pick(
        _ body: JT1078PTZ, _ zero: PlatformMove.Motion, _ one: PlatformMove.Motion
    ) -> PlatformMove.Motion? {
        switch body.value {
        case 0: zero
        case 1: one
        default: nil
        }
    }

    private static func turn(_ body: JT1078PTZ) -> PlatformMove.Motion? {
        let speed = Double(body.speed ?? 0) / 255
        // A direction without speed is a stop, too.
        guard body.value != 0, speed > 0 else { return body.value <= 4 ? .stop : nil }
        switch body.value {
        case 1: return .up(speed)
        case 2: return .down(speed)
        case 3: return .left(speed)
        case 4: return .right(speed)
        default: return nil
        }
    }
}
