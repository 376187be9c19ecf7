import ControlProtocol
import Media
import Recording
import Streaming

extension RecordingReport {
    /// Nil where nothing is recorded, and nothing ever was.
    init?(_ status: RecordingStatus, now: MediaTime) {
        guard !status.streams.isEmpty || status.disk.state != .idle else { return nil }
        self.init(
            disk: Disk(status.disk, now: now), streams: status.streams.map { Stream($0, now: now) })
    }
}

extension RecordingReport.Disk {
    init(_ disk: DiskStatus, now: MediaTime) {
        self.init(
            state: State(disk.state), detail: disk.detail, sinceSeconds: (now - disk.since).seconds,
            folder: disk.folder, totalBytes: disk.space?.total, availableBytes: disk.space?.available,
            held: disk.totals.sorted { $0.key < $1.key }.map {
                RecordingReport.Held(channel: $0, segments: $1.segments, bytes: $1.bytes)
            }, unscannedFolders: disk.unscannedFolders,
            recovery: RecordingReport.Recovery(
                wasClean: disk.recovery.wasClean, seconds: disk.recoverySeconds, closed: disk.recovery.closed,
                adopted: disk.recovery.adopted, dropped: disk.recovery.dropped, removed: disk.recovery.removed,
                damaged: disk.recovery.damaged), deletedSegments: disk.deletedSegments, readBacks: disk.readBacks,
            readBackFailures: disk.readBackFailures, returns: disk.returns)
    }
}

extension RecordingReport.Disk.State {
    init(_ state: DiskState) {
        self =
            switch state {
            case .opening: .opening
            case .ready: .ready
            case .full: .full
            case .readOnly: .readOnly
            case .missing: .missing
            case .failed: .failed
            case .idle: .idle
            }
    }
}

extension RecordingReport.Stream {
    init(_ stream: StreamRecordingStatus, now: MediaTime) {
        let counters = stream.counters
        self.init(
            channel: stream.key.channel, stream: CodeStream(stream.key.stream), mode: stream.mode.rawValue,
            state: State(stream.state), sinceSeconds: (now - stream.since).seconds, file: stream.name?.text,
            kind: stream.kind.map(RecordedFileReport.Kind.init), framesWritten: counters.framesWritten,
            mediaBytes: counters.mediaBytes, fileBytes: counters.fileBytes, segments: counters.segments,
            framesLost: counters.framesLost, framesRefused: counters.framesRefused, gaps: counters.gaps)
    }
}

extension RecordingReport.Stream.State {
    init(_ state: StreamRecordingStatus.State) {
        self =
            switch state {
            case .off: .off
            case .buffering: .buffering
            case .waiting: .waiting
            case .recording: .recording
            case .diskAway: .diskAway
            case .full: .full
            }
    }
}

extension RecordedFileReport {
    init(_ segment: Segment) {
        self.init(
            channel: segment.key.channel, stream: CodeStream(segment.key.stream), name: segment.name.text,
            kind: Kind(segment.kind), bytes: segment.size, start: segment.start, end: segment.end,
            isGrowing: segment.state == .open, isProtected: segment.isProtected, isDamaged: segment.isDamaged)
    }
}

extension RecordedFileReport.Kind {
    init(_ kind: RecordingKind) {
        self =
            switch kind {
            case .continuous: .continuous
            case .scheduled: .scheduled
            case .commanded: .commanded
            }
    }
}

extension EventHub {
    /// What recording tells, in the words of the control API.
    func publish(_ event: RecordingEvent) {
        switch event {
        case .disk(let state, let folder, let detail):
            publish(EventReport.Name.disk(.init(state)), device: folder, detail: detail)
        case .stream(let key, let state):
            publish(EventReport.Name.recording(.init(state)), channel: key.channel, detail: key.stream.rawValue)
        case .damaged(let key, let name):
            publish(EventReport.Name.recordingDamaged, channel: key.channel, detail: name.text)
        }
    }
}
