import NIOCore
import NIOEmbedded
import Testing
import WebServer

@Suite struct ViewerRoutesTests {
    @Test func oneViewerTooManyIsToldWhy() throws {
        let rig = Rig(limit: 1)
        let (first, second, third) = (try rig.connect(), try rig.connect(), try rig.connect())
        _ = try rig.request(first, "GET /ipc.flv?action=live HTTP/1.1")
        for (channel, request) in [(second, "GET /ipc.flv?action=live HTTP/1.1\r\nHost: a"), (third, Rig.handshake)] {
            let answer = try rig.request(channel, request, "Origin: http://a")
            #expect(answer.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
            #expect(answer.contains("\"code\":\"tooManyViewers\""))
            #expect(answer.contains("\"viewers\":1"))
            #expect(answer.contains("\"limit\":1"))
            #expect(answer.contains("\r\nAccess-Control-Allow-Origin: http://a\r\n"))
        }
        _ = try first.finish()
        let next = try rig.connect()
        #expect(try rig.request(next, "GET /ipc.flv?action=live HTTP/1.1").hasPrefix("HTTP/1.1 200 "))
        #expect(rig.registry.totals.refused == 2)
        _ = try next.finish()
    }

    @Test(arguments: [
        ("GET /ipc.flv HTTP/1.1", 404), ("GET /ipc.flv?action=live&channel=7 HTTP/1.1", 404),
        ("GET /ipc.flv?action=live&channel=3&quality=standard HTTP/1.1", 404),
        ("GET /ipc.flv?action=live&quality=bogus HTTP/1.1", 404), ("GET /nothing HTTP/1.1", 404),
        ("GET /api/v1/status HTTP/1.1", 404), ("GET /../page.css HTTP/1.1", 404), ("POST / HTTP/1.1", 405),
        ("DELETE /ipc.flv?action=live HTTP/1.1", 405), ("GET / HTTP/1.1", 200), ("GET /page.css HTTP/1.1", 200),
        ("GET http://a/page.js?x=1 HTTP/1.1", 200), ("GET /channels.json HTTP/1.1", 200),
        ("OPTIONS /ipc.flv HTTP/1.1", 204), ("HEAD /ipc.flv?action=live HTTP/1.1", 200),
        ("GET /ipc.flv?action=live HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: websocket", 400),
        ("POST /channels.json HTTP/1.1\r\nContent-Length: 70000", 413), ("nonsense", 400),
    ])
    func answers(_ request: String, _ status: Int) throws {
        let rig = Rig()
        let channel = try rig.connect()
        let isForOthers = ["/ipc.flv", "/channels.json"].contains { request.contains($0) }
        let origin = isForOthers ? "" : "Origin: http://evil\r\n"
        _ = try? channel.writeInbound(ByteBuffer(string: "\(request)\r\nHost: a\r\n\(origin)\r\n"))
        rig.loop.run()
        let (head, body) = split(try rig.output(channel))
        #expect(head.hasPrefix("HTTP/1.1 \(status) "), "\(head)")
        #expect(head.contains("\r\nAccess-Control-Allow-Methods: GET, HEAD, POST, PATCH, DELETE, OPTIONS"))
        #expect(!head.contains("Access-Control-Allow-Origin"))
        if status >= 400 {
            #expect(head.contains("\r\nContent-Type: application/json"))
            #expect(String(buffer: body).hasPrefix("{\"error\":{\"code\":\""))
        }
        if request.hasPrefix("HEAD") || status == 204 { #expect(body.readableBytes == 0) }
        #expect(rig.registry.totals.connected == 0)
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }

    @Test func pagesOfOtherSitesPlayOnlyWhereAllowed() throws {
        for (origins, origin, status, allowed) in [
            ([], "http://evil", 403, nil), ([], "http://a", 200, "http://a"),
            (["https://Site"], "https://site", 200, "https://site"), (["https://site"], "http://site", 403, nil),
            (["*"], "http://evil", 200, "*"), ([], "null", 403, nil),
        ] as [([String], String, Int, String?)] {
            let rig = Rig(origins: origins)
            let channel = try rig.connect()
            let answer = try rig.request(
                channel, "GET /ipc.flv?action=live HTTP/1.1", "Host: a", "Origin: \(origin)")
            #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(origins) \(origin)")
            #expect(answer.contains("Access-Control-Allow-Origin") == (allowed != nil))
            if let allowed { #expect(answer.contains("\r\nAccess-Control-Allow-Origin: \(allowed)\r\n")) }
            _ = try? channel.finish(acceptAlreadyClosed: true)
        }
    }

    @Test func preflightAllowsPrivateNetworkOnlyToThoseAllowed() throws {
        for (origins, allowed) in [([String](), false), (["https://site"], true)] {
            let rig = Rig(origins: origins)
            let channel = try rig.connect()
            let answer = try rig.request(
                channel, "OPTIONS /ipc.flv HTTP/1.1", "Host: a", "Origin: https://site",
                "Access-Control-Request-Private-Network: true")
            #expect(answer.contains("\r\nAccess-Control-Allow-Private-Network: true") == allowed)
            _ = try channel.finish()
        }
    }

    @Test func channelsAreListed() throws {
        let rig = Rig()
        let channel = try rig.connect()
        let answer = try rig.request(channel, "GET /channels.json HTTP/1.1")
        #expect(
            answer.hasSuffix(
                "\r\n\r\n[{\"channel\":0,\"hasAudio\":true,\"hasVideo\":true,\"name\":\"Front \\\"door\\\"\","
                    + "\"qualities\":[\"high\",\"standard\"]},{\"channel\":3,\"hasAudio\":false,\"hasVideo\":true,"
                    + "\"name\":\"Back\",\"qualities\":[\"high\"]}]\n"))
        _ = try channel.finish()
    }

    @Test func pageIsFetchedAgainOnlyWhenItChanged() throws {
        let rig = Rig()
        let channel = try rig.connect()
        let first = try rig.request(channel, "GET / HTTP/1.1")
        let tag = try #require(first.split(separator: "\r\n").first { $0.hasPrefix("ETag: ") }).dropFirst(6)
        #expect(first.contains("\r\nCache-Control: no-cache\r\n"))
        #expect(first.contains("\r\nConnection: keep-alive\r\n"))
        // On the same connection.
        let second = try rig.request(channel, "GET / HTTP/1.1", "If-None-Match: \(tag)")
        #expect(second.hasPrefix("HTTP/1.1 304 "))
        #expect(second.hasSuffix("\r\n\r\n"))
        #expect(channel.isActive)
        _ = try channel.finish()
    }

    @Test func slowRequestsAndIdleConnectionsEnd() throws {
        let rig = Rig()
        let (silent, slow, idle) = (try rig.connect(), try rig.connect(), try rig.connect())
        try slow.writeInbound(ByteBuffer(string: "GET / HTTP/1.1\r\nX: "))
        _ = try rig.request(idle, "GET /channels.json HTTP/1.1")
        rig.loop.advanceTime(by: .seconds(9))
        #expect(silent.isActive && slow.isActive && idle.isActive)
        rig.loop.advanceTime(by: .seconds(1))
        #expect(!silent.isActive && !slow.isActive && !idle.isActive)
        // A viewer is no idle connection.
        let viewer = try rig.connect()
        _ = try rig.request(viewer, "GET /ipc.flv?action=live HTTP/1.1")
        rig.loop.advanceTime(by: .seconds(60))
        #expect(viewer.isActive)
        _ = try viewer.finish()
    }

    @Test func headsAreBounded() throws {
        for request in [
            "GET /" + String(repeating: "x", count: 20_000) + " HTTP/1.1\r\n\r\n",
            "GET / HTTP/1.1\r\nX: " + String(repeating: "x", count: 20_000) + "\r\n\r\n",
            "GET / HTTP/1.1\r\n" + String(repeating: "X: y\r\n", count: 100) + "\r\n",
        ] {
            let rig = Rig()
            let channel = try rig.connect()
            _ = try? channel.writeInbound(ByteBuffer(string: request))
            #expect(String(buffer: try rig.output(channel)).hasPrefix("HTTP/1.1 4"))
            #expect(!channel.isActive)
        }
    }
}
