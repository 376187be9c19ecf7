import NIOHTTP1
import Signalling
import Talkback

/// What becomes of a connection on which somebody wants to talk.
package enum VoiceStart: Sendable {
    /// - Parameters:
    ///   - seat: where who talks counts as a viewer; nil for whoever commands the agent.
    ///   - pcmRate: samples a second of raw PCM, where the sender said it.
    case talk(TalkSlot, by: TalkHolder, seat: VoiceSeat?, pcmRate: Int?)
    /// The body is not wanted.
    case refused(HTTPAnswer)
}

/// A viewer's place for one who talks.
package struct VoiceSeat: Sendable {
    let registry: ViewerRegistry
    let viewer: ViewerIdentity

    /// Nil where the device is full.
    func take() -> ViewerPlace? { try? registry.enter(viewer) }
}

/// Finds out who wants to talk with `POST /voice?channel=N`, or with a WebSocket at the same address. The channel only
/// has to be there: a device has one speaker. Parameters of our own: `rate`, the samples a second of a PCM body.
struct VoiceRequest {
    let slot: TalkSlot
    let hasChannel: (Int) -> Bool
    let registry: ViewerRegistry
    /// Whether who talks counts as a viewer.
    let takesPlace: Bool

    func start(_ request: HTTPRequest) -> VoiceStart {
        do throws(RequestRefusal) {
            let query = try RequestQuery(request.query)
            _ = try query.channel(hasChannel)
            let rate: Int?
            switch query.number("rate") {
            case .missing: rate = nil
            case .value(let value) where TalkSettings.rates.contains(value): rate = value
            default: throw .notFound("rate is \(TalkSettings.rates.lowerBound) to \(TalkSettings.rates.upperBound)")
            }
            let viewer = registry.visitors.saw(ViewerIdentity(request, query))
            let holder =
                viewer.number.map { TalkHolder(visitor: $0) } ?? TalkHolder(connection: registry.identity())
            let seat = takesPlace ? VoiceSeat(registry: registry, viewer: viewer) : nil
            return .talk(slot, by: holder, seat: seat, pcmRate: rate)
        } catch {
            return .refused(.refusal(error))
        }
    }
}

extension HTTPAnswer {
    /// Never 5xx, which would cost a viewer its whole link (p2p-signalling, 2.3).
    static func talkRefused(_ refusal: TalkRefusal) -> HTTPAnswer {
        let code =
            switch refusal {
            case .busy: "talkBusy"
            case .deviceFull: "tooManyViewers"
            case .noSpeaker: "noSpeaker"
            case .speakerUnavailable: "speakerUnavailable"
            case .agentStops: "agentStops"
            }
        return .error(status: 403, code: code, message: "\(refusal)")
    }

    /// Where the server has too many connections.
    static let tooManyTalkers = HTTPAnswer.error(
        status: 403, code: "tooManyConnections",
        message: "the device has as many connections as it takes; try again later")

    /// The head of the answer to one who may talk; how it went follows when the talk is over.
    static func talk(isChunked: Bool) -> HTTPAnswer {
        var answer = HTTPAnswer(
            status: 200, headers: [("Content-Type", "application/json"), ("Cache-Control", "no-store")])
        if isChunked { answer.headers.append(("Transfer-Encoding", "chunked")) }
        answer.isEndless = true
        return answer
    }
}
