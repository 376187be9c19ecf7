import ControlProtocol
import Media
import Talkback

/// What the talkback room knows, in the words of the control API.
extension TalkbackReport.Talk {
    package init(_ report: TalkReport) {
        let figures = report.figures
        func milliseconds(_ time: MediaTime) -> Int { Int(time.milliseconds) }
        self.init(
            from: report.source, form: report.form?.rawValue, seconds: Double(report.duration.milliseconds) / 1000,
            bytes: report.bytes, rate: figures.rate, delayMilliseconds: milliseconds(figures.delay),
            longestDelayMilliseconds: milliseconds(figures.longestDelay),
            playedMilliseconds: milliseconds(figures.played), silenceMilliseconds: milliseconds(figures.silence),
            underruns: figures.underruns, droppedMilliseconds: milliseconds(figures.dropped),
            lostFrames: figures.lostFrames, speakerUnderruns: figures.speakerUnderruns)
    }
}

extension TalkbackReport.Echo {
    package init(channel: Int, _ report: EchoReport) {
        self.init(
            channel: channel, delayMilliseconds: report.delay.map { Int($0.milliseconds) },
            lossDecibels: report.lossDecibels.map { ($0 * 10).rounded() / 10 }, realignments: report.realignments)
    }
}
