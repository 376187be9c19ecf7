import NIOCore
import NIOEmbedded
import Signalling
import Testing
import WebServer

/// What it means that a viewer names itself.
@Suite struct VisitorRoutesTests {
    private func watch(_ rig: Rig, _ visitor: Int?, _ query: String = "action=live") throws -> (EmbeddedChannel, String)
    {
        let channel = try rig.connect()
        let name = visitor.map { "X-Visitor: \($0)" } ?? "X-None: 1"
        return (channel, try rig.request(channel, "GET /ipc.flv?\(query) HTTP/1.1", "Host: a", name))
    }

    @Test func aVisitorTakesOnePlaceForAllItWatches() throws {
        let rig = Rig(limit: 1)
        var channels: [EmbeddedChannel] = []
        for query in ["action=live", "action=live-audio", "action=live&channel=3"] {
            let (channel, answer) = try watch(rig, 7, query)
            #expect(answer.hasPrefix("HTTP/1.1 200 "), "\(query): \(answer)")
            channels.append(channel)
        }
        #expect(rig.registry.totals.connected == 1)
        #expect(try watch(rig, 8).1.hasPrefix("HTTP/1.1 503 "))
        #expect(try watch(rig, nil).1.hasPrefix("HTTP/1.1 503 "))
        for channel in channels.dropLast() { _ = try channel.finish() }
        #expect(try watch(rig, 8).1.hasPrefix("HTTP/1.1 503 "))
        _ = try channels.last?.finish()
        let (next, answer) = try watch(rig, nil)
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        _ = try next.finish()
        #expect(rig.registry.totals.connected == 0)
    }

    @Test func aNewerStreamOfTheSameKindReplacesTheOlder() throws {
        let rig = Rig(limit: 1)
        let (first, _) = try watch(rig, 7)
        let (sound, _) = try watch(rig, 7, "action=live-audio")
        let (second, answer) = try watch(rig, 7, "action=live&quality=standard")
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        rig.loop.run()
        #expect(!first.isActive && sound.isActive && second.isActive)
        #expect(rig.registry.totals.connected == 1)
        for channel in [sound, second] { _ = try channel.finish() }
        _ = try? first.finish(acceptAlreadyClosed: true)
        #expect(rig.registry.totals.connected == 0)
    }

    /// 4294967299 is what reports call the third link.
    @Test func whatPeersAreCalledIsNoName() throws {
        let rig = Rig(limit: 2)
        let (first, _) = try watch(rig, 4_294_967_299)
        let (second, _) = try watch(rig, 4_294_967_299)
        #expect(first.isActive && second.isActive && rig.registry.totals.connected == 2)
        for channel in [first, second] { _ = try channel.finish() }
        rig.registry.visitors.saw(ViewerIdentity(.link(3), requester: "server-voip"))
        #expect(rig.registry.visitors.saw(ViewerIdentity(.named(3))).requester == nil)
    }

    @Test func viewersWithoutNameAreSeveral() throws {
        let rig = Rig(limit: 2)
        let (first, _) = try watch(rig, nil)
        let (second, _) = try watch(rig, 0)
        #expect(first.isActive && second.isActive)
        #expect(rig.registry.totals.connected == 2)
        #expect(try watch(rig, nil).1.contains("\"viewers\":2"))
        for channel in [first, second] { _ = try channel.finish() }
    }

    @Test func soundAloneHasNoPictures() throws {
        let rig = Rig()
        let (channel, _) = try watch(rig, 7, "action=live-audio")
        rig.publish(
            TestStream.frame(key: true, at: 0), TestStream.frame(.audio, at: 10), TestStream.frame(at: 40),
            TestStream.frame(.audio, at: 74))
        let (reader, tags) = try tags(rig.output(channel))
        #expect(!reader.hasVideo && reader.hasAudio)
        #expect(tags.filter { $0.kind == .video }.isEmpty)
        #expect(tags.filter { $0.kind == .audio }.count == 3)
        _ = try channel.finish()
        let (none, answer) = try watch(rig, 7, "action=live-audio&channel=3")
        #expect(answer.hasPrefix("HTTP/1.1 404 "))
        _ = try? none.finish(acceptAlreadyClosed: true)
    }

    @Test func privacyIsNoErrorOfTheLink() throws {
        let rig = Rig()
        rig.agent.privacy.store(true, ordering: .relaxed)
        for query in ["action=live", "action=live-audio"] {
            let (channel, answer) = try watch(rig, 7, query)
            #expect(answer.hasPrefix("HTTP/1.1 404 ") && answer.contains("\"code\":\"standby\""))
            _ = try? channel.finish(acceptAlreadyClosed: true)
        }
        #expect(rig.registry.totals.connected == 0)
    }

    @Test func whatAForeignPageShowsAsAPictureCommandsNothing() throws {
        for path in ["/command?action=user_define&cmd=ptz_left", "/feedback"] {
            for (header, status) in [("Origin: http://evil", 403), ("Sec-Fetch-Site: cross-site", 403)] {
                let rig = Rig()
                let channel = try rig.connect()
                let answer = try rig.request(channel, "GET \(path) HTTP/1.1", "Host: a", header)
                #expect(answer.hasPrefix("HTTP/1.1 \(status) "), "\(path) \(header)")
                _ = try? channel.finish(acceptAlreadyClosed: true)
            }
        }
    }

    @Test func feedbackIsForThoseWhoGet() throws {
        let rig = Rig()
        let channel = try rig.connect()
        #expect(try rig.request(channel, "POST /feedback HTTP/1.1", "Host: a").hasPrefix("HTTP/1.1 405 "))
        _ = try? channel.finish(acceptAlreadyClosed: true)
    }
}
