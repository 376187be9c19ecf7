import Configuration
import Devices
import Imaging
import Media
import PeerToPeer
import Streaming
import Testing

@Suite struct ConfigurationReaderTests {
    private func read(_ text: String) throws -> AgentConfiguration {
        try ConfigurationReader.read(Array(text.utf8))
    }

    /// The mistakes as lines, as `edge-agent check` prints them.
    private func mistakes(_ text: String) -> [String] {
        do {
            _ = try ConfigurationReader.read(Array(text.utf8))
            return []
        } catch {
            return error.mistakes.map { $0.description(file: "f") }
        }
    }

    @Test(arguments: ["", "\n", "# nothing\n", "---\n", "{}", "~", "channels:\n", "server: {}\nchannels: null\n"])
    func emptyTextsMeanTheDefaults(text: String) throws {
        let configuration = try read(text)
        #expect(configuration == ConfigurationReader.defaults)
        let channel = try #require(configuration.channels.first?.settings)
        #expect(configuration.channels.count == 1)
        #expect(configuration.channels[0].usesSyntheticWithoutCamera)
        #expect(configuration.channels[0].usesSyntheticWithoutMicrophone)
        #expect(channel.id == 0)
        #expect(channel.name == "Channel 0")
        #expect(channel.camera.source == .v4l2(device: "auto"))
        #expect(channel.camera.size == PictureSize(width: 1280, height: 720))
        #expect(channel.camera.frameRate == 25)
        #expect(channel.main.size == PictureSize(width: 1280, height: 720))
        #expect(channel.main.frameRate == 25)
        #expect(channel.main.rateControl == .bitrate(2_000_000))
        #expect(channel.main.preset == "veryfast")
        #expect(channel.main.tune == "zerolatency")
        #expect(channel.sub?.size == PictureSize(width: 640, height: 360))
        #expect(channel.sub?.rateControl == .bitrate(500_000))
        #expect(channel.microphone.source == .alsa(device: "auto"))
        #expect(channel.audio == .init(rate: 16000, channels: 1, bitrate: 32000))
        #expect(channel.overlay == OverlaySettings())
        #expect(channel.linger == 5)
        #expect(configuration.server.address == "127.0.0.1")
        #expect(configuration.server.port == 8080)
        #expect(configuration.server.viewerLimit == 64)
        #expect(configuration.push.defaultTarget == nil)
        #expect(configuration.controlSocket == "/run/edge-agent/control.sock")
        #expect(configuration.stateFolder == "/var/lib/edge-agent")
        #expect(configuration.logLevel == .info)
    }

    @Test func everythingCanBeSet() throws {
        let configuration = try read(
            """
            channels:
              - id: 7
                name: "Front: door"
                video:
                  source: v4l2
                  device: /dev/v4l/by-path/a
                  size: 1920x1080
                  frameRate: 30
                  controls: {brightness: -3, horizontalFlip: true, powerLineFrequency: 50, other: {0x0098091b: 4, 12: -1}}
                audio: {source: alsa, device: "hw:1,0", rate: 44100, channels: 2, bitrate: 128000}
                overlay: false
                main: {size: 1920x1080, frameRate: 29.97, preset: fast, tune: "zerolatency,grain", profile: high,
                  quality: 23.5, keyFrameInterval: 1, threads: 2}
                sub: false
                linger: 0.5
              - {id: 2, video: {source: file, file: /a.y4m}, audio: {source: none}}
              - {id: 3, video: {source: none}, audio: {source: synthetic, syntheticDrift: 200}}
            server: {address: "::", port: 80, viewerLimit: 3, allowedOrigins: [], viewerQueue: {bytes: 100000, seconds: 1.5}}
            push: {defaultTarget: "rtmp://h/live/{channel}-{stream}", adaptBitrate: true}
            control: {socket: /tmp/s}
            state: {folder: /tmp/f}
            log: {level: debug}
            """)
        let first = configuration.channels[0].settings
        #expect(first.id == 7)
        #expect(first.name == "Front: door")
        #expect(first.camera.source == .v4l2(device: "/dev/v4l/by-path/a"))
        #expect(first.camera.brightness == -3)
        #expect(first.camera.contrast == nil)
        #expect(first.camera.horizontalFlip == true)
        #expect(first.camera.powerLineFrequency == .hz50)
        #expect(first.camera.otherControls == [0x0098_091b: 4, 12: -1])
        #expect(first.microphone.source == .alsa(device: "hw:1,0"))
        #expect(first.audio == .init(rate: 44100, channels: 2, bitrate: 128000))
        #expect(first.overlay == nil)
        #expect(first.main.frameRate == 29.97)
        #expect(first.main.rateControl == .quality(23.5))
        #expect(first.main.tune == "zerolatency,grain")
        #expect(first.sub == nil)
        #expect(first.linger == 0.5)
        #expect(!configuration.channels[0].usesSyntheticWithoutCamera)
        #expect(configuration.channels[1].settings.camera.source == .file(path: "/a.y4m"))
        #expect(!configuration.channels[1].settings.hasAudio)
        #expect(configuration.channels[2].settings.microphone.syntheticDrift == 200)
        #expect(configuration.server.allowedOrigins == [])
        #expect(configuration.server.viewerQueueSeconds == 1.5)
        #expect(configuration.push.defaultTarget(channel: 7, stream: .sub) == "rtmp://h/live/7-sub")
        #expect(configuration.logLevel == .debug)
    }

    @Test func theCameraIsAskedForWhatTheMainStreamNeeds() throws {
        let settings = try read("channels: [{main: {size: 1920x1080, frameRate: 30}}]").channels[0].settings
        #expect(settings.camera.size == PictureSize(width: 1920, height: 1080))
        #expect(settings.camera.frameRate == 30)
        #expect(settings.sub?.frameRate == 30)
    }

    @Test(
        arguments: [
            (
                "channels:\n  - main:\n      framerate: 25\n",
                ["f:3:7: error: unknown key \"framerate\" in channels[0].main; did you mean \"frameRate\"?"]
            ),
            ("sever: {port: 1}", ["f:1:1: error: unknown key \"sever\"; did you mean \"server\"?"]),
            (
                "log: {x: 1}", ["f:1:7: error: unknown key \"x\" in log; known are level"]
            ),
            ("server:\n  port: http\n", ["f:2:9: error: server.port must be a whole number, not http"]),
            ("server:\n  port: \"80\"\n", ["f:2:9: error: server.port must be a whole number, not \"80\""]),
            ("server: {port: 70000}", ["f:1:16: error: server.port must be 0 to 65535, not 70000"]),
            ("server: [1]", ["f:1:9: error: server must be a group of keys, not a list"]),
            (
                "channels: {id: 1}",
                ["f:1:11: error: channels must be a list, not a group of keys; start each item with \"- \""]
            ),
            (
                "server:\n  port: 1\n  port: 2\n",
                ["f:3:3: error: \"port\" is already set in line 2; remove one of the two"]
            ),
            (
                "channels:\n- {id: 1}\n- {id: 1}\n",
                ["f:3:3: error: channels[1].id is 1, as in line 2; give each channel an id of its own"]
            ),
            ("push: {adaptBitrate: yes}", ["f:1:22: error: push.adaptBitrate must be true or false, not yes"]),
            (
                "channels: [{main: {preset: veryfats}}]",
                ["f:1:28: error: channels[0].main.preset cannot be veryfats; did you mean \"veryfast\"?"]
            ),
            (
                "channels: [{sub: {size: 641x360}}]",
                ["f:1:25: error: channels[0].sub.size: width and height must be even and 32 to 7680, not 641x360"]
            ),
            (
                "channels: [{main: {bitrate: 1000000, quality: 20}}]",
                ["f:1:47: error: channels[0].main has both bitrate and quality; remove one of the two"]
            ),
            (
                "channels: [{video: {device: /dev/video1}}]",
                [
                    "f:1:29: error: channels[0].video.device is only for source: v4l2; write source: v4l2, or remove it"
                ]
            ),
            (
                "channels: [{video: {source: file}}]",
                ["f:1:20: error: channels[0].video.file is missing; give the path of a YUV4MPEG2 file"]
            ),
            (
                "channels: [{video: {source: none}, audio: {source: none}}]",
                ["f:1:12: error: channels[0] has neither pictures nor sound; give video or audio a source"]
            ),
            (
                "channels: [{main: {frameRate: 50}, video: {frameRate: 25}}]",
                [
                    "f:1:12: error: channels[0].main.frameRate is above channels[0].video.frameRate; "
                        + "leave out video.frameRate, or lower the stream's"
                ]
            ),
            (
                "channels: [{audio: {rate: 16001}}]",
                [
                    "f:1:27: error: channels[0].audio.rate cannot be 16001; did you mean \"16000\"?"
                ]
            ),
            (
                "push: {defaultTarget: \"rmtp://host/app/secret\"}",
                [
                    "f:1:23: error: push.defaultTarget is no address of a media service; "
                        + "start it with rtmp://, rtmps://, http:// or https://"
                ]
            ),
            (
                "state: {folder: var}",
                ["f:1:17: error: state.folder must be a whole path, not var; start it with \"/\""]
            ),
            ("a: &x 1", ["f:1:4: error: anchors (&name) are not supported; write the value out"]),
            ("a: !!str 1", ["f:1:4: error: tags (!name) are not supported; remove the tag"]),
            ("a: 1\n---\nb: 1", ["f:2:1: error: a second document starts here; remove the \"---\""]),
            (
                "server:\n\tport: 1\n",
                [
                    "f:2:1: error: not a YAML text: while scanning for the next token, found character that cannot "
                        + "start any token; indent with spaces, and put values with special characters in quotes"
                ]
            ),
            (
                "server: {port: 1\n",
                ["f:2:1: error: not a YAML text: while parsing a flow mapping, did not find expected ',' or '}'"]
            ),
            ("? [a]\n: 1\n", ["f:1:3: error: a key must be a word, not a list"]),
            (
                "ü: 1\nserver: {ä: 1}",
                [
                    "f:1:1: error: unknown key \"ü\"; known are channels, server, access, push, recording, "
                        + "signalling, peers, rendezvous, handOff, talk, platforms, control, state, log",
                    "f:2:10: error: unknown key \"ä\" in server; known are address, port, viewerLimit, "
                        + "channelViewerLimit, allowedOrigins, viewerQueue, sendBuffer, stallSeconds, tls",
                ]
            ),
        ] as [(String, [String])])
    func mistakesSayWhereAndWhatToDo(text: String, expected: [String]) {
        #expect(mistakes(text) == expected)
    }

    @Test func allMistakesAreFoundAtOnceInTheOrderOfTheText() {
        let found = mistakes(
            """
            log: {level: loud}
            channels:
              - name: [x]
                main: {threads: -1, presets: fast}
              - linger: soon
            server:
              viewerlimit: 3
            """)
        #expect(
            found == [
                "f:1:14: error: log.level cannot be loud; choose one of trace, debug, info, notice, warning, error, "
                    + "critical",
                "f:3:11: error: channels[0].name must be a text, not a list",
                "f:4:21: error: channels[0].main.threads must be 0 to 64, not -1",
                "f:4:25: error: unknown key \"presets\" in channels[0].main; did you mean \"preset\"?",
                "f:5:13: error: channels[1].linger must be a number, not soon",
                "f:7:3: error: unknown key \"viewerlimit\" in server; did you mean \"viewerLimit\"?",
            ])
    }

    @Test func theAddressOfAServiceIsNotRepeatedInMistakes() {
        for text in ["push: {defaultTarget: ftp://h/secret}", "push: {defaultTarget: \"ftp://h/secret\\n\"}"] {
            let found = mistakes(text)
            #expect(found.count == 1)
            #expect(!found.joined().contains("secret"))
        }
    }

    @Test func everythingIsBounded() {
        let deep = String(repeating: "[", count: 50_000)
        #expect(mistakes(deep) == ["f:1:17: error: nested deeper than 16 levels"])
        let large = "#" + String(repeating: " ", count: YAMLParser.maximumBytes)
        #expect(mistakes(large) == ["f:1:1: error: the file is larger than 256 KiB; is it the right one?"])
        let many = "channels: [" + String(repeating: "1,", count: YAMLParser.maximumNodes) + "]"
        #expect(mistakes(many).first?.contains("more than 20000 values") == true)
        let unknown = (0..<500).map { "key\($0): 1" }.joined(separator: "\n")
        #expect(mistakes(unknown).count == 100)
        let channels = "channels:\n" + (0..<33).map { "- {id: \($0)}\n" }.joined()
        #expect(mistakes(channels) == ["f:34:3: error: channels has more than 32 items"])
    }

    @Test(arguments: [[0xff, 0xfe, 0x00], [0x61, 0x3a, 0x20, 0xc3, 0x28], [0x61, 0x3a, 0x20, 0x00], [0xc0, 0x80]])
    func textsThatAreNotUTF8AreRefused(bytes: [UInt8]) {
        #expect(throws: ConfigurationMistakes.self) { try ConfigurationReader.read(bytes) }
    }

    // MARK: Peers

    @Test func aTicketForAllWhoMayReadIt() throws {
        let key = String(repeating: "k", count: 32)
        let broker = "rendezvous: { broker: mqtt://b, infoRights: [live, command], infoSeconds: 60 }"
        let settings = try #require(try read("peers: { ticketKey: \(key) }\n\(broker)").rendezvous)
        #expect(settings.infoRights == [.live, .command] && settings.infoSeconds == 60)
        #expect(try read("rendezvous: { broker: mqtt://b }").rendezvous?.infoRights == [])
        #expect(mistakes(broker) == ["f:1:45: error: rendezvous.infoRights needs peers.ticketKey"])
        let wrong = mistakes("peers: { ticketKey: \(key) }\nrendezvous: { broker: mqtt://b, infoRights: [fly] }")
        #expect(wrong.count == 1 && wrong[0].contains("\"fly\" is no right"))
    }

    /// libnice would speak plain TCP to them.
    @Test func relaysWithTLSAreRefused() {
        let lines = mistakes("peers: { relays: [\"turns:relay.example.org\"] }")
        #expect(lines.count == 1 && lines[0].contains("is no address of a relay") && lines[0].contains("TLS"))
    }
}
