import Configuration
import PlatformProtocol
import Testing

@Suite struct PlatformConfigurationTests {
    private func read(_ text: String) throws(ConfigurationMistakes) -> [PlatformSettings] {
        try ConfigurationReader.read(Array(text.utf8)).platforms
    }

    private func mistakes(_ text: String) -> [String] {
        do throws(ConfigurationMistakes) {
            _ = try read(text)
            return []
        } catch {
            return error.mistakes.map { $0.description(file: "f") }
        }
    }

    @Test func noneByDefault() throws {
        #expect(try read("").isEmpty)
        #expect(try read("platforms: []").isEmpty)
    }

    @Test func everyKey() throws {
        let settings = try read(
            """
            channels:
              - id: 4
              - id: 7
            platforms:
              - name: fleet
                servers: ["gps.example:7611", "[2001:db8::1]:7612"]
                phone: "013800138000"
                version: "2019"
                simBytes: 6
                channels: {2: 7}
                audio: g711a
                heartbeat: 20
                answerTimeout: 5
                resends: 2
                locationInterval: 15
                playbackAnswer: general
                liveTarget: rtmp://m/live/{sim}-{channel}
                terminal: {province: 44, city: 300, manufacturer: M, model: X, id: "1", plate: 粤B1, plateColour: 2,
                           imei: "3", iccid: "4"}
                position: {latitude: -1.5, longitude: 2, altitude: 3, gpsd: "127.0.0.1:2947"}
            """)
        var expected = PlatformSettings(
            name: "fleet", servers: [.init(host: "gps.example", port: 7611), .init(host: "2001:db8::1", port: 7612)],
            phone: try #require(PhoneNumber("13800138000")), channels: [.init(logical: 2, id: 7)])
        expected.version = .v2019
        expected.simLength = 6
        expected.audio = .g711a
        expected.heartbeat = 20
        expected.answerTimeout = 5
        expected.resends = 2
        expected.locationInterval = 15
        expected.playbackAnswer = .general
        expected.liveTarget = "rtmp://m/live/{sim}-{channel}"
        expected.identity.province = 44
        expected.identity.city = 300
        expected.identity.manufacturer = "M"
        expected.identity.model = "X"
        expected.identity.terminalID = "1"
        expected.identity.plate = "粤B1"
        expected.identity.plateColour = 2
        expected.identity.imei = "3"
        expected.identity.iccid = "4"
        expected.position = .init(latitude: -1.5, longitude: 2, altitude: 3)
        expected.gpsd = .init(host: "127.0.0.1", port: 2947)
        #expect(settings == [expected])
    }

    @Test func channelsAreNumberedFromOne() throws {
        let settings = try read(
            "channels: [{id: 3}, {id: 5}]\nplatforms: [{name: a, servers: [\"h:1\"], phone: \"1\"}]")
        #expect(settings.first?.channels == [.init(logical: 1, id: 3), .init(logical: 2, id: 5)])
    }

    @Test func mistakesAreNamed() {
        let good = "servers: [\"h:1\"], phone: \"1\""
        for (text, word) in [
            ("{name: a}", "servers is missing"), ("{name: a, \(good), version: \"2011\"}", "version"),
            ("{name: \"a/b\", \(good)}", "name"), ("{name: a, servers: [h], phone: \"1\"}", "no host with a port"),
            ("{name: a, servers: [\"h:1\"], phone: x}", "phone"), ("{\(good)}", "name is missing"),
            ("{name: a, servers: [\"h:1\"], phone: \"1234567890123\"}", "more than 12 digits"),
            (
                "{name: a, servers: [\"h:1\"], phone: \"1234567890123\", version: \"2019\", simBytes: 6}",
                "more than 12 digits"
            ),
            ("{name: a, \(good), channels: {1: 9}}", "no channel with the id 9"),
            ("{name: a, \(good), channels: {300: 0}}", "1 to 255"), ("{name: a, \(good), liveTarget: x}", "liveTarget"),
            ("{name: a, \(good), position: {latitude: 1}}", "longitude is missing"),
            ("{name: a, \(good), terminal: {plate: 😀}}", "GBK"), ("{name: a, \(good)}, {name: a, \(good)}", "another"),
        ] {
            let found = mistakes("platforms: [\(text)]")
            #expect(found.contains { $0.contains(word) }, "\(text): \(found)")
        }
    }
}
