import ControlProtocol
import Diagnostics
import Testing

@Suite struct CameraDiagnosisTests {
    private static func channel(
        _ state: DeviceReport.State = .running, cause: DeviceReport.Cause? = nil, detail: String = "NV12 1280x720",
        reconnects: Int = 0, sound: DeviceReport.Sound? = nil, drift: Double? = nil
    ) -> ChannelReport {
        let device = DeviceReport(
            state: state, device: "/dev/video0", detail: detail, cause: cause, sinceSeconds: 60, reconnects: reconnects,
            driftPartsPerMillion: drift, sound: sound)
        return ChannelReport(channel: 3, name: "door", camera: device, microphone: device, streams: [])
    }

    private static func look(_ mean: Double, _ contrast: Int, _ fingerprint: Int) -> CameraDiagnosis.Look {
        .init(mean: mean, contrast: contrast, fingerprint: fingerprint)
    }

    private static let moving = (0..<4).map { look(110, 90, $0) }

    private static func findings(
        _ channel: ChannelReport, rate: Double? = 25, looks: [CameraDiagnosis.Look] = moving, isStandby: Bool = false
    ) -> [FindingReport] {
        CameraDiagnosis.findings(
            .init(
                channel: channel, isStandby: isStandby, wantedRate: 25, rate: rate, looks: looks, uptimeSeconds: 600))
    }

    @Test func aHealthyCameraGivesOneFindingThatSaysSo() {
        let found = Self.findings(Self.channel())
        #expect(found.map(\.code) == ["ok"])
        #expect(found.first?.subject == "channel 3")
        #expect(found.first?.text == "/dev/video0, NV12 1280x720, 25.0 pictures a second")
    }

    @Test(arguments: [
        (DeviceReport.Cause.notPermitted, "notPermitted"), (.busy, "busy"), (.notThere, "missing"),
    ])
    func whatTheSystemSaysNamesTheFault(cause: DeviceReport.Cause, code: String) {
        let found = Self.findings(Self.channel(.absent, cause: cause))
        #expect(found.map(\.code) == [code])
        #expect(found.first?.verdict == .failure)
        #expect(found.first?.advice?.isEmpty == false)
    }

    @Test(arguments: [(DeviceReport.State.lost, "lost"), (.absent, "refuses"), (.opening, "opening")])
    func aCameraThatGivesNothingIsNamedByItsState(state: DeviceReport.State, code: String) {
        #expect(Self.findings(Self.channel(state)).map(\.code) == [code])
    }

    @Test(arguments: [
        (look(17, 3, 1), "black"), (look(234, 2, 1), "white"), (look(128, 5, 1), "blank"), (look(110, 90, 7), "frozen"),
    ])
    func whatItSeesIsJudged(look: CameraDiagnosis.Look, code: String) {
        #expect(Self.findings(Self.channel(), looks: [look, look, look, look]).map(\.code) == [code])
    }

    @Test func oneDarkMomentIsNoFault() {
        let looks = [Self.look(17, 3, 1)] + Self.moving
        #expect(Self.findings(Self.channel(), looks: looks).map(\.code) == ["ok"])
    }

    @Test func twoEqualLooksDoNotShowThatItIsFrozen() {
        let looks = [Self.look(110, 90, 7), Self.look(110, 90, 7)]
        #expect(Self.findings(Self.channel(), looks: looks).map(\.code) == ["ok"])
    }

    @Test func aDarkPictureWithAnythingInItIsNotBlack() {
        #expect(Self.findings(Self.channel(), looks: (0..<4).map { Self.look(20, 40, $0) }).map(\.code) == ["ok"])
    }

    @Test(arguments: [(24.0, nil), (19.0, FindingReport.Verdict.warning), (2.0, .failure)])
    func aSlowCameraIsFound(rate: Double, verdict: FindingReport.Verdict?) {
        let found = Self.findings(Self.channel(), rate: rate)
        #expect(found.map(\.code) == [verdict == nil ? "ok" : "slow"])
        #expect(found.first?.verdict == verdict ?? .ok)
    }

    @Test func aCameraThatComesAndGoesIsUnstable() {
        #expect(Self.findings(Self.channel(reconnects: 5)).map(\.code) == ["unstable"])
        #expect(Self.findings(Self.channel(reconnects: 1)).map(\.code) == ["ok"])
    }

    @Test func privacyIsNoFault() {
        #expect(Self.findings(Self.channel(.stopped), isStandby: true).map(\.verdict) == [.ok])
    }

    @Test func aChannelWithoutACameraIsNotSpokenOf() { #expect(Self.findings(Self.channel(.none)).isEmpty) }

    // MARK: Microphones

    private static func sound(
        _ peak: Double, clipped: Double = 0, overruns: Int = 0, drift: Double? = nil
    ) -> [FindingReport] {
        let level = DeviceReport.Sound(peakDecibels: peak, rmsDecibels: peak - 10, clipped: clipped)
        return SoundDiagnosis.findings(
            .init(channel: channel(sound: level, drift: drift), newOverruns: overruns, uptimeSeconds: 600))
    }

    @Test func microphonesAreJudgedByTheirLevel() {
        #expect(Self.sound(-30).map(\.code) == ["ok"])
        #expect(Self.sound(-120).map(\.code) == ["silent"])
        #expect(Self.sound(-80).map(\.code) == ["faint"])
        #expect(Self.sound(0, clipped: 0.01).map(\.code) == ["clipping"])
        #expect(Self.sound(0, clipped: 0.0001).map(\.code) == ["ok"])
    }

    @Test func overrunsAndDriftAreFound() {
        #expect(Self.sound(-30, overruns: 2).map(\.code) == ["overruns"])
        #expect(Self.sound(-30, drift: -4000).map(\.code) == ["drift"])
    }

    // MARK: Encoders

    private static func encoder(pictures: Int, overruns: Int = 0, busy: Double, captured: Int = 50) -> [FindingReport] {
        let stream = StreamReport(
            stream: .main, encoding: true, width: 1280, height: 720, frameRate: 25, bitrate: 0, targetBitrate: 0,
            videoFrames: 0, audioFrames: 0, keyFrames: 0, overruns: 0, subscribers: 1)
        return EncoderDiagnosis.findings(
            .init(
                channel: 3, stream: stream, seconds: 2, newPictures: pictures, newOverruns: overruns, busySeconds: busy,
                capturedPictures: captured))
    }

    @Test func encodersAreJudgedByTheirShareOfRealTime() {
        #expect(Self.encoder(pictures: 50, busy: 0.4).map(\.text) == ["1280x720, needs 20 % of real time"])
        #expect(Self.encoder(pictures: 50, busy: 1.6).map(\.code) == ["tight"])
        #expect(Self.encoder(pictures: 40, overruns: 10, busy: 1.9).map(\.code) == ["tooSlow"])
        #expect(Self.encoder(pictures: 0, busy: 0).map(\.code) == ["stuck"])
        #expect(Self.encoder(pictures: 0, busy: 0, captured: 0).isEmpty)
    }

    // MARK: Heads

    @Test func headsAreJudgedByTheirFault() {
        var channel = Self.channel()
        #expect(MotorDiagnosis.findings(channel).isEmpty)
        channel.ptz = HeadReport(driver: "pelco-d", moving: false, fault: "/dev/ttyUSB0: opening: No such file")
        #expect(MotorDiagnosis.findings(channel).map(\.code) == ["fault"])
        channel.ptz = HeadReport(
            driver: "stepper", limits: .init(minPan: -90, maxPan: 90, minTilt: 0, maxTilt: 1), moving: false)
        #expect(MotorDiagnosis.findings(channel).map(\.code) == ["positionUnknown"])
        channel.ptz?.pan = 4
        #expect(MotorDiagnosis.findings(channel).map(\.code) == ["ok"])
    }
}
