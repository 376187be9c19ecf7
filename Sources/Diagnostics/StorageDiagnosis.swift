import ControlProtocol
import Glibc

/// Judges the disks that the agent writes to.
package enum StorageDiagnosis {
    /// A folder that was tried.
    package struct Folder: Sendable {
        package enum Purpose: Sendable {
            case state
            /// Bytes a second that are to be written there.
            case recordings(rate: Double)
        }

        package var path: String
        package var purpose: Purpose
        package var probe: StorageProbe

        package init(path: String, purpose: Purpose, probe: StorageProbe) {
            self.path = path
            self.purpose = purpose
            self.probe = probe
        }
    }

    /// A state folder with less room fails soon.
    static let leastState: Int64 = 8 << 20
    /// Recording needs a disk that is so many times as fast as the streams.
    static let reserve = 3.0

    // MARK: What was tried

    package static func findings(_ folder: Folder) -> [FindingReport] {
        let (probe, path) = (folder.probe, folder.path)
        switch probe.outcome {
        case .refuses(let code, let action):
            return [refused(code, action, path, probe)]
        case .forgets:
            return [
                FindingReport(
                    .storage, "forgets", .failure, subject: path,
                    "the disk gives back other bytes than were written to it",
                    advice: "It is broken or counterfeit: replace it; what is on it may be damaged")
            ]
        case .works(let written, let read):
            let speed = "writes \(megabytes(written)), reads \(megabytes(read)) MB/s"
            if probe.freeFiles == 0 { return [noFiles(path)] }
            switch folder.purpose {
            case .state where probe.freeBytes < leastState:
                return [
                    FindingReport(
                        .storage, "nearlyFull", .warning, subject: path,
                        "only \(megabytes(Double(probe.freeBytes))) MB are free",
                        advice: "Make room: du -xh / | sort -h | tail shows what takes it")
                ]
            case .recordings(let rate) where rate > 0 && written < rate * reserve:
                return [
                    FindingReport(
                        .storage, "slow", .warning, subject: path,
                        "\(speed); recording needs \(megabytes(rate)) MB/s, and room for pauses",
                        advice: "A faster card or disk (class A1, V30), or lower bitrates")
                ]
            default:
                return [
                    .ok(
                        .storage, subject: path,
                        "\(speed), \(gigabytes(probe.freeBytes)) of \(gigabytes(probe.totalBytes)) GB free")
                ]
            }
        }
    }

    private static func refused(
        _ code: Int32, _ action: String, _ path: String, _ probe: StorageProbe
    ) -> FindingReport {
        let text = "\(action): \(String(cString: strerror(code)))"
        switch code {
        case EROFS:
            return FindingReport(
                .storage, "readOnly", .failure, subject: path, text,
                advice: """
                    The file system is mounted read-only, by its entry in fstab or because the kernel found errors \
                    (dmesg); check it (fsck) while it is unmounted, then mount it again
                    """)
        case ENOSPC where probe.freeFiles == 0: return noFiles(path)
        case ENOSPC, EDQUOT:
            return FindingReport(
                .storage, "full", .failure, subject: path, text,
                advice:
                    "Make room: du -xh \(path) | sort -h | tail shows what takes it; protected recordings are never deleted"
            )
        case EACCES, EPERM:
            return FindingReport(
                .storage, "notPermitted", .failure, subject: path, text,
                advice: """
                    The folder must belong to the agent's user (chown edge-agent:edge-agent \(path)), and the service \
                    must be allowed to write there (ReadWritePaths= in edge-agent.service.d)
                    """)
        case ENOENT, ENOTDIR:
            return FindingReport(
                .storage, "missing", .failure, subject: path, text,
                advice:
                    "Is the disk plugged in and mounted (lsblk -f)? Does the folder's name stand right in the configuration?"
            )
        default:
            return FindingReport(
                .storage, "failing", .failure, subject: path, text,
                advice: "dmesg says what the disk answered; a card that does this is at its end: replace it")
        }
    }

    private static func noFiles(_ path: String) -> FindingReport {
        FindingReport(
            .storage, "noFiles", .failure, subject: path,
            "the file system has no room for another file, though there is space",
            advice: "Delete small files, or make the file system anew with more inodes (mkfs -N)")
    }

    // MARK: What recording reports

    package static func findings(_ recording: RecordingReport) -> [FindingReport] {
        let disk = recording.disk
        var found: [FindingReport] = []
        func add(_ code: String, _ verdict: FindingReport.Verdict, _ text: String, _ advice: String) {
            found.append(FindingReport(.storage, code, verdict, subject: disk.folder, text, advice: advice))
        }
        let detail = disk.detail.isEmpty ? "recording is \(disk.state.rawValue)" : disk.detail
        switch disk.state {
        case .ready, .idle: break
        case .opening: add("opening", .warning, "recording looks its disk through", "Ask again in a minute")
        case .full:
            add(
                "full", .failure, detail,
                "Nothing there may be deleted: take protection off (edgectl files protect --off), copy files away, or use a larger disk"
            )
        case .readOnly:
            add(
                "readOnly", .failure, detail,
                "dmesg says why the kernel does not write to it; check the file system (fsck) while it is unmounted")
        case .missing:
            add(
                "missing", .failure, detail, "Plug the disk in and mount it (lsblk -f); recording begins by itself then"
            )
        case .failed:
            add("failing", .failure, detail, "dmesg says what the disk answered; replace it if it does so again")
        }
        if disk.readBackFailures > 0 {
            add(
                "damaged", .failure,
                "\(disk.readBackFailures) of \(disk.readBacks) samples of footage were not as they had been written",
                "The disk loses data: copy away what matters and replace it")
        }
        for stream in recording.streams {
            let name = "channel \(stream.channel) \(stream.stream.rawValue)"
            if stream.framesLost > 0 {
                add(
                    "tooSlow", .warning, "\(name): \(stream.framesLost) frames were lost since the disk was too slow",
                    "A faster card or disk (class A1, V30), or lower bitrates")
            }
            if stream.state == .full {
                add(
                    "shareFull", .failure, "\(name): its share is full of protected footage",
                    "Take protection off (edgectl files protect --off), or raise recording's limits")
            }
        }
        return found
    }

    private static func megabytes(_ bytes: Double) -> String { DeviceDiagnosis.decimal(bytes / 1e6) }
    private static func gigabytes(_ bytes: Int64) -> String { DeviceDiagnosis.decimal(Double(bytes) / 1e9) }
}
