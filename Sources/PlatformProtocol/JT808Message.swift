/// Every message that a video terminal sends or understands.
package enum JT808Message: Sendable, Hashable {
    // From terminals.
    case terminalAnswer(JT808GeneralAnswer)
    case heartbeat
    case unregister
    case timeQuery
    case terminalResend(JT808ResendRequest)
    case registration(JT808Registration)
    case authentication(JT808Authentication)
    case parameters(JT808ParameterAnswer)
    case attributes(JT808Attributes)
    case location(JT808Location)
    case locationAnswer(JT808LocationAnswer)
    case mediaAttributes(JT1078Attributes)
    case resourceList(JT1078ResourceList)
    case uploadResult(JT1078UploadResult)

    // From platforms.
    case platformAnswer(JT808GeneralAnswer)
    case resend(JT808ResendRequest)
    case time(JT808TimeAnswer)
    case registrationAnswer(JT808RegistrationAnswer)
    case setParameters(JT808SetParameters)
    case queryAllParameters
    case queryParameters(JT808QueryParameters)
    case queryAttributes
    case queryLocation
    case track(JT808Tracking)
    case queryMediaAttributes
    case openLive(JT1078LiveRequest)
    case controlLive(JT1078LiveControl)
    case transmissionStatus(JT1078TransmissionStatus)
    case openPlayback(JT1078PlaybackRequest)
    case controlPlayback(JT1078PlaybackControl)
    case queryResources(JT1078ResourceQuery)
    case upload(JT1078UploadRequest)
    case controlUpload(JT1078UploadControl)
    case turn(JT1078PTZ)
    case focus(JT1078PTZ)
    case iris(JT1078PTZ)
    case wiper(JT1078PTZ)
    case infrared(JT1078PTZ)
    case zoom(JT1078PTZ)

    case unknown(id: UInt16, body: [UInt8])

    package static let terminalAnswerID: UInt16 = 0x0001
    package static let platformAnswerID: UInt16 = 0x8001

    package init(id: UInt16, body: [UInt8], version: JT808Version) throws(JT808Error) {
        var reader = JT808Reader(body, version: version)
        switch id {
        case 0x0001: self = .terminalAnswer(try JT808GeneralAnswer(&reader))
        case 0x0002: self = .heartbeat
        case 0x0003: self = .unregister
        case 0x0004: self = .timeQuery
        case 0x0005: self = .terminalResend(try JT808ResendRequest(&reader))
        case 0x0100: self = .registration(try JT808Registration(&reader))
        case 0x0102: self = .authentication(try JT808Authentication(&reader))
        case 0x0104: self = .parameters(try JT808ParameterAnswer(&reader))
        case 0x0107: self = .attributes(try JT808Attributes(&reader))
        case 0x0200: self = .location(try JT808Location(&reader))
        case 0x0201: self = .locationAnswer(try JT808LocationAnswer(&reader))
        case 0x1003: self = .mediaAttributes(try JT1078Attributes(&reader))
        case 0x1205: self = .resourceList(try JT1078ResourceList(&reader))
        case 0x1206: self = .uploadResult(try JT1078UploadResult(&reader))
        case 0x8001: self = .platformAnswer(try JT808GeneralAnswer(&reader))
        case 0x8003: self = .resend(try JT808ResendRequest(&reader))
        case 0x8004: self = .time(try JT808TimeAnswer(&reader))
        case 0x8100: self = .registrationAnswer(try JT808RegistrationAnswer(&reader))
        case 0x8103: self = .setParameters(try JT808SetParameters(&reader))
        case 0x8104: self = .queryAllParameters
        case 0x8106: self = .queryParameters(try JT808QueryParameters(&reader))
        case 0x8107: self = .queryAttributes
        case 0x8201: self = .queryLocation
        case 0x8202: self = .track(try JT808Tracking(&reader))
        case 0x9003: self = .queryMediaAttributes
        default: self = try Self.media(id, body, &reader)
        }
    }

    private static func media(
        _ id: UInt16, _ body: [UInt8], _ reader: inout JT808Reader
    ) throws(JT808Error) -> Self {
        switch id {
        case 0x9101: .openLive(try JT1078LiveRequest(&reader))
        case 0x9102: .controlLive(try JT1078LiveControl(&reader))
        case 0x9105: .transmissionStatus(try JT1078TransmissionStatus(&reader))
        case 0x9201: .openPlayback(try JT1078PlaybackRequest(&reader))
        case 0x9202: .controlPlayback(try JT1078PlaybackControl(&reader))
        case 0x9205: .queryResources(try JT1078ResourceQuery(&reader))
        case 0x9206: .upload(try JT1078UploadRequest(&reader))
        case 0x9207: .controlUpload(try JT1078UploadControl(&reader))
        case 0x9301: .turn(try JT1078PTZ.turn(&reader))
        case 0x9302: .focus(try JT1078PTZ(&reader))
        case 0x9303: .iris(try JT1078PTZ(&reader))
        case 0x9304: .wiper(try JT1078PTZ(&reader))
        case 0x9305: .infrared(try JT1078PTZ(&reader))
        case 0x9306: .zoom(try JT1078PTZ(&reader))
        default: .unknown(id: id, body: body)
        }
    }

    package var id: UInt16 {
        switch self {
        case .terminalAnswer: Self.terminalAnswerID
        case .heartbeat: 0x0002
        case .unregister: 0x0003
        case .timeQuery: 0x0004
        case .terminalResend: 0x0005
        case .registration: 0x0100
        case .authentication: 0x0102
        case .parameters: 0x0104
        case .attributes: 0x0107
        case .location: 0x0200
        case .locationAnswer: 0x0201
        case .mediaAttributes: 0x1003
        case .resourceList: 0x1205
        case .uploadResult: 0x1206
        case .platformAnswer: Self.platformAnswerID
        case .resend: 0x8003
        case .time: 0x8004
        case .registrationAnswer: 0x8100
        case .setParameters: 0x8103
        case .queryAllParameters: 0x8104
        case .queryParameters: 0x8106
        case .queryAttributes: 0x8107
        case .queryLocation: 0x8201
        case .track: 0x8202
        case .queryMediaAttributes: 0x9003
        case .openLive: 0x9101
        case .controlLive: 0x9102
        case .transmissionStatus: 0x9105
        case .openPlayback: 0x9201
        case .controlPlayback: 0x9202
        case .queryResources: 0x9205
        case .upload: 0x9206
        case .controlUpload: 0x9207
        case .turn: 0x9301
        case .focus: 0x9302
        case .iris: 0x9303
        case .wiper: 0x9304
        case .infrared: 0x9305
        case .zoom: 0x9306
        case .unknown(let id, _): id
        }
    }

    /// Nil where the message has no fields.
    private var content: (any JT808Body)? {
        switch self {
        case .terminalAnswer(let body), .platformAnswer(let body): body
        case .terminalResend(let body), .resend(let body): body
        case .registration(let body): body
        case .authentication(let body): body
        case .parameters(let body): body
        case .attributes(let body): body
        case .location(let body): body
        case .locationAnswer(let body): body
        case .mediaAttributes(let body): body
        case .resourceList(let body): body
        case .uploadResult(let body): body
        case .time(let body): body
        case .registrationAnswer(let body): body
        case .setParameters(let body): body
        case .queryParameters(let body): body
        case .track(let body): body
        case .openLive(let body): body
        case .controlLive(let body): body
        case .transmissionStatus(let body): body
        case .openPlayback(let body): body
        case .controlPlayback(let body): body
        case .queryResources(let body): body
        case .upload(let body): body
        case .controlUpload(let body): body
        case .turn(let body), .focus(let body), .iris(let body), .wiper(let body), .infrared(let body),
            .zoom(let body):
            body
        case .heartbeat, .unregister, .timeQuery, .queryAllParameters, .queryAttributes, .queryLocation,
            .queryMediaAttributes, .unknown:
            nil
        }
    }

    package func body(_ version: JT808Version) -> [UInt8] {
        if case .unknown(_, let body) = self { return body }
        var writer = JT808Writer(version: version)
        content?.write(to: &writer)
        return writer.bytes
    }

    /// The body as it is cut where it does not fit into one frame.
    package func pieces(_ version: JT808Version) -> [[UInt8]] {
        if case .resourceList = self { return JT1078ResourceList.split(body(version)) }
        return JT808SubPackages.split(body(version))
    }

    package var name: String {
        switch self {
        case .terminalAnswer: "terminal answer"
        case .heartbeat: "heartbeat"
        case .unregister: "unregister"
        case .timeQuery: "time query"
        case .terminalResend, .resend: "resend request"
        case .registration: "registration"
        case .authentication: "authentication"
        case .parameters: "parameters"
        case .attributes: "attributes"
        case .location: "location"
        case .locationAnswer: "location answer"
        case .mediaAttributes: "media attributes"
        case .resourceList: "resource list"
        case .uploadResult: "upload result"
        case .platformAnswer: "platform answer"
        case .time: "time"
        case .registrationAnswer: "registration answer"
        case .setParameters: "set parameters"
        case .queryAllParameters, .queryParameters: "query parameters"
        case .queryAttributes: "query attributes"
        case .queryLocation: "query location"
        case .track: "track"
        case .queryMediaAttributes: "query media attributes"
        case .openLive: "open live"
        case .controlLive: "control live"
        case .transmissionStatus: "transmission status"
        case .openPlayback: "open playback"
        case .controlPlayback: "control playback"
        case .queryResources: "query resources"
        case .upload: "upload"
        case .controlUpload: "control upload"
        case .turn: "turn"
        case .focus: "focus"
        case .iris: "iris"
        case .wiper: "wiper"
        case .infrared: "infrared"
        case .zoom: "zoom"
        case .unknown: "unknown"
        }
    }
}
