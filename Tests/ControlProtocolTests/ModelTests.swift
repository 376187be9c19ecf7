import ControlProtocol
import Testing

@Suite struct ModelTests {
    static let push = PushReport(
        id: "1", channel: 0, codeStream: .sub, dataType: .av, target: "rtmp://h:1935/app/…", state: .waiting,
        sinceSeconds: 1.5, attempts: 3, bytesSent: 5, framesSent: 6, framesDropped: 7, retryInSeconds: 2,
        cause: .init(code: .networkLost, detail: "reset"))

    static let status = StatusReport(
        version: "0.1.0", device: DeviceIdentity(id: "d1", name: "yard"), pid: 1, uptimeSeconds: 12.25,
        channels: [
            ChannelReport(
                channel: 0, name: "Front",
                camera: DeviceReport(
                    state: .running, device: "/dev/video0", detail: "NV12 1280x720 25/s", sinceSeconds: 3.5,
                    captured: 100),
                microphone: DeviceReport(
                    state: .lost, device: "hw:1", detail: "", sinceSeconds: 0.5, overruns: 1,
                    silenceMilliseconds: 20, driftPartsPerMillion: -0.5),
                streams: [
                    StreamReport(
                        stream: .main, encoding: true, width: 1280, height: 720, frameRate: 25, bitrate: 2_000_000,
                        targetBitrate: 2_000_000, videoFrames: 1, audioFrames: 1, keyFrames: 1, overruns: 0,
                        subscribers: 2)
                ])
        ],
        viewerLimit: 64,
        viewers: [
            ViewerReport(
                id: 1, activity: .live, channel: 0, stream: .main, transport: .websocket, remote: "127.0.0.1:3333",
                connectedSeconds: 3.25, bytesSent: 1, framesSent: 2, framesDropped: 3, queuedBytes: 4)
        ], pushes: [push],
        recording: RecordingReport(
            disk: .init(
                state: .ready, sinceSeconds: 2.5, folder: "/mnt/card", totalBytes: 100, availableBytes: 50,
                held: [.init(channel: 0, segments: 1, bytes: 40)],
                recovery: .init(wasClean: false, seconds: 0.25, closed: 1)),
            streams: [
                .init(
                    channel: 0, stream: .main, mode: "continuous", state: .recording, sinceSeconds: 1.5,
                    file: "20261121/140500-main-1f0c39ab.mp4", kind: .continuous, framesWritten: 9)
            ]))

    @Test func theStatusIsReadAsItWasWritten() throws {
        let text = ControlCoding.encode(Self.status)
        #expect(try ControlCoding.decode(StatusReport.self, from: text) == Self.status)
        #expect(ControlCoding.encode(Self.status) == text)
        #expect(
            try ControlCoding.decode(StatusReport.self, from: ControlCoding.encode(Self.status, pretty: true))
                == Self.status)
    }

    @Test func aPushIsWrittenAsPromised() {
        #expect(
            String(decoding: ControlCoding.encode(Self.push), as: UTF8.self)
                == #"{"attempts":3,"bytesSent":5,"cause":{"code":"networkLost","detail":"reset"},"channel":0,"#
                + #""codeStream":"sub","dataType":"av","framesDropped":7,"framesSent":6,"id":"1","#
                + #""retryInSeconds":2,"sinceSeconds":1.5,"state":"waiting","target":"rtmp://h:1935/app/…"}"#)
    }

    @Test func aCameraHasNoNumbersOfSound() {
        let text = String(decoding: ControlCoding.encode(Self.status.channels[0].camera), as: UTF8.self)
        #expect(!text.contains("overruns"))
        #expect(text.contains(#""state":"running""#))
    }

    @Test func anErrorIsWrittenAsPromised() {
        #expect(
            String(
                decoding: ControlCoding.encode(ErrorReport(code: "notFound", message: "no channel 9")), as: UTF8.self)
                == #"{"error":{"code":"notFound","message":"no channel 9"}}"#)
    }

    @Test func numbersThatAreNoneDoNotLoseTheReport() throws {
        var report = Self.status.channels[0].streams[0]
        report.frameRate = .nan
        let back = try ControlCoding.decode(StreamReport.self, from: ControlCoding.encode(report))
        #expect(back.frameRate.isNaN)
    }

    @Test func aRequestHasDefaults() throws {
        let request = try ControlCoding.decode(PushOpenRequest.self, from: "{}".utf8)
        #expect(request == PushOpenRequest(channel: 0, codeStream: .main, dataType: .av, target: nil, async: false))
        let full = PushOpenRequest(
            channel: 3, codeStream: .sub, dataType: .audio, target: "rtmp://h/a/k", async: true,
            startTimestamp: 16_777_000)
        #expect(try ControlCoding.decode(PushOpenRequest.self, from: ControlCoding.encode(full)) == full)
    }

    @Test(arguments: [
        ("", "The given data was not valid JSON."), ("{", "The given data was not valid JSON."),
        (
            #"{"chanel":1}"#,
            "unknown key \"chanel\"; known are channel, codeStream, dataType, target, async, startTimestamp"
        ),
    ])
    func whatIsWrongWithARequestIsSaid(text: String, message: String) {
        #expect(throws: ControlCodingError(message: message)) {
            try ControlCoding.decode(PushOpenRequest.self, from: text.utf8)
        }
    }

    @Test(arguments: [
        #"{"channel":"x"}"#, #"{"channel":1.5}"#, #"{"channel":-1}"#, #"{"channel":1e300}"#, #"{"startTimestamp":-1}"#,
        #"{"startTimestamp":4294967296}"#, #"{"codeStream":"mian"}"#, #"{"async":1}"#, #"{"target":1}"#,
    ])
    func aWrongValueNamesItsKey(text: String) throws {
        let error = #expect(throws: ControlCodingError.self) {
            try ControlCoding.decode(PushOpenRequest.self, from: text.utf8)
        }
        let key = text.split(separator: "\"")[1]
        #expect(error?.message.hasPrefix("\"\(key)\": ") == true)
    }

    @Test func anEventIsCompleteInItself() {
        let event = EventReport(
            id: 4, event: EventReport.Name.pushOpened, time: "2026-01-01T00:00:00.000Z", channel: 0)
        #expect(
            String(decoding: event.serverSentEvent, as: UTF8.self) == """
                id: 4
                event: push.opened
                data: {"channel":0,"event":"push.opened","id":4,"time":"2026-01-01T00:00:00.000Z"}


                """)
    }

    @Test func namesOfDeviceEvents() {
        #expect(EventReport.Name.device(isCamera: true, .running) == "camera.running")
        #expect(EventReport.Name.device(isCamera: false, .lost) == "microphone.lost")
    }

    @Test func theTimeIsOfTheRightForm() {
        let time = Array(EventReport.timestamp().utf8)
        #expect(time.count == 24)
        #expect(time.last == UInt8(ascii: "Z"))
        #expect(time[10] == UInt8(ascii: "T"))
    }
}
