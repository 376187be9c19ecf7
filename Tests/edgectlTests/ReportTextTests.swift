import ControlProtocol
import Testing
import edgectl

@Suite struct ReportTextTests {
    private let push = PushReport(
        id: "7", channel: 0, codeStream: .main, dataType: .av, target: "rtmp://h:1935/app/…", state: .waiting,
        sinceSeconds: 1, attempts: 3, bytesSent: 1_500_000, framesSent: 6, framesDropped: 7, retryInSeconds: 2.04,
        cause: .init(code: .unreachable, detail: "h:1935 refuses the connection"))

    @Test func recordingIsReadable() {
        let recording = RecordingReport(
            disk: .init(
                state: .full, detail: "nothing may be deleted", sinceSeconds: 65, folder: "/mnt/card",
                totalBytes: 32_000_000_000, availableBytes: 1_500_000_000,
                held: [
                    .init(channel: 0, segments: 2, bytes: 1_000_000), .init(channel: 1, segments: 1, bytes: 500_000),
                ],
                unscannedFolders: 1, recovery: .init(), readBacks: 40, readBackFailures: 2),
            streams: [
                .init(
                    channel: 0, stream: .main, mode: "continuous", state: .recording, sinceSeconds: 3720,
                    file: "20261121/140500-main-1f0c39ab.mp4", kind: .continuous, fileBytes: 2_500_000, framesLost: 3),
                .init(channel: 1, stream: .sub, mode: "command", state: .buffering, sinceSeconds: 5),
            ])
        #expect(
            ReportText.recording(recording) == """
                Recordings in /mnt/card, full for 1 min 5 s: nothing may be deleted
                  3 files of 1.5 MB, 1.5 GB of 32.0 GB free
                  1 day of footage yet to be found again
                  2 of 40 samples read back were not as written; the disk may be failing
                  STREAM  MODE        STATE            FOR  WRITTEN  LOST  FILE
                  0/main  continuous  recording  1 h 2 min   2.5 MB     3  20261121/140500-main-1f0c39ab.mp4
                  1/sub   command     buffering        5 s      0 B     0
                """)
    }

    @Test func theStatusIsReadable() {
        let status = StatusReport(
            version: "0.1.0", device: DeviceIdentity(id: "d1", name: "yard"), pid: 12, uptimeSeconds: 3720,
            channels: [
                ChannelReport(
                    channel: 0, name: "Front",
                    camera: DeviceReport(
                        state: .running, device: "/dev/video0", detail: "NV12 1280x720 25/s", sinceSeconds: 65,
                        captured: 100, dropped: 2, reconnects: 1),
                    microphone: DeviceReport(
                        state: .lost, device: "hw:1", detail: "", sinceSeconds: 3, overruns: 1,
                        silenceMilliseconds: 20, driftPartsPerMillion: -12.34),
                    streams: [
                        StreamReport(
                            stream: .main, encoding: true, width: 1280, height: 720, frameRate: 24.96,
                            bitrate: 1_984_000, targetBitrate: 2_000_000, videoFrames: 1, audioFrames: 1,
                            keyFrames: 1, overruns: 0, subscribers: 1),
                        StreamReport(
                            stream: .sub, encoding: false, width: 640, height: 360, frameRate: 0, bitrate: 0,
                            targetBitrate: 500_000, videoFrames: 0, audioFrames: 0, keyFrames: 0, overruns: 0,
                            subscribers: 0),
                    ])
            ],
            viewerLimit: 64,
            viewers: [
                ViewerReport(
                    id: 3, activity: .playback, channel: 0, stream: .main, transport: .websocket,
                    remote: "127.0.0.1:3333",
                    connectedSeconds: 59, bytesSent: 999, framesSent: 20, framesDropped: 0, queuedBytes: 1000)
            ], pushes: [push])
        #expect(
            ReportText.status(status) == """
                edge-agent 0.1.0 on yard (d1), process 12, up 1 h 2 min

                Channel 0 "Front"
                  camera      running for 1 min 5 s  /dev/video0, NV12 1280x720 25/s  2 dropped, came back 1 time
                  microphone  lost for 3 s           hw:1                             1 overrun, 20 ms of silence put in, clock off by -12.3 ppm
                  main  encoding  1280x720  25.0/s  2.0 Mbit/s of 2.0 Mbit/s  1 consumer
                  sub   idle      640x360                                     0 consumers

                1 viewer (at most 64)
                  ID  WHAT      STREAM  FROM            BY          FOR   SENT  FRAMES  DROPPED  WAITING
                   3  playback  0/main  127.0.0.1:3333  websocket  59 s  999 B      20        0   1.0 kB

                1 push
                  ID  STREAM  DATA  STATE    FOR    SENT  DROPPED  TARGET
                  7   0/main  av    waiting  1 s  1.5 MB        7  rtmp://h:1935/app/…
                  Push 7: h:1935 refuses the connection (unreachable), 3 attempts so far, the next in 2.0 s
                """)
    }

    @Test func visitorsWithANameAreNamed() {
        let viewer = ViewerReport(
            id: 3, visitor: 7, requester: "app-ios", activity: .liveAudio, channel: 0, stream: .main, transport: .http,
            remote: "127.0.0.1:3333", connectedSeconds: 59, bytesSent: 999, framesSent: 20, framesDropped: 0,
            queuedBytes: 0)
        #expect(ReportText.viewers([viewer]).contains("live-audio  0/main  127.0.0.1:3333 (visitor 7)  http"))
    }

    @Test func privacyIsToldFirst() {
        let status = StatusReport(
            version: "0.1.0", device: DeviceIdentity(id: nil, name: "yard"), pid: 12, uptimeSeconds: 1, channels: [],
            viewerLimit: 1, viewers: [], pushes: [], isStandby: true)
        #expect(
            ReportText.status(status).hasPrefix(
                "edge-agent 0.1.0 on yard, process 12, up 1 s\n\nPrivacy mode: no picture and no sound is taken\n\n"))
    }

    @Test func nothingIsSaidInWords() {
        #expect(ReportText.viewers([]) == "No viewers")
        #expect(ReportText.pushes([]) == "No pushes")
        #expect(ReportText.channels([]) == "No channels")
    }

    @Test func aPushIsASentence() {
        var push = push
        #expect(
            ReportText.push(push)
                == "Push 7, channel 0 main to rtmp://h:1935/app/…, waits for its next attempt: "
                + "h:1935 refuses the connection (unreachable), 3 attempts so far, the next in 2.0 s")
        push.state = .publishing
        #expect(ReportText.push(push) == "Push 7, channel 0 main to rtmp://h:1935/app/…, is publishing")
    }

    @Test func anEventIsALine() {
        #expect(
            ReportText.event(
                EventReport(id: 1, event: "push.waiting", time: "2026-01-01T00:00:00.000Z", channel: 0, push: push))
                == "2026-01-01T00:00:00.000Z  push.waiting  channel 0  push 7 to rtmp://h:1935/app/…  "
                + "unreachable: h:1935 refuses the connection")
    }

    @Test(arguments: [
        (0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_949, "999.9 kB"), (999_950, "1.0 MB"), (-5, "-5 B"),
    ])
    func bytes(count: Int, text: String) {
        #expect(Units.bytes(count) == text)
    }

    @Test(arguments: [
        (0, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (3600, "1 h 0 min"), (90000, "1 d 1 h"), (-3, "0 s"),
        (Double.nan, "?"),
    ])
    func durations(seconds: Double, text: String) {
        #expect(Units.duration(seconds) == text)
    }
}
