import NIOHTTP1

/// What a port that speaks TLS says to those who do not. The page is elsewhere; all else is refused, since what came with
/// it, a token perhaps, was readable on the way, and a program should notice.
struct PlainHTTPRoutes: RequestRouter {
    func demand(of request: HTTPRequest) -> Demand? { Demand(.viewer(.page)) }

    func route(_ request: HTTPRequest, _ admission: Admission) -> RouteOutcome {
        guard request.method == .GET || request.method == .HEAD, request.path == "/", let host = request.host,
            host.utf8.allSatisfy(Self.isHostByte)
        else {
            return .answer(.error(status: 400, code: "httpsOnly", message: "this port speaks HTTPS"))
        }
        return .answer(
            HTTPAnswer(status: 308, headers: [("Location", "https://\(host)/"), ("Cache-Control", "no-store")]))
    }

    func voice(_ request: HTTPRequest, _ admission: Admission) -> VoiceStart? { nil }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: ":"),
            UInt8(ascii: "["), UInt8(ascii: "]"):
            true
        default: false
        }
    }
}
