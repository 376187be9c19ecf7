/// Why there is no update, in words for the one who stands before the device.
package enum UpdateFailure: Error, Sendable, Hashable {
    case notRoot
    /// This machine has no update engine.
    case noEngine
    case engineSilent(seconds: Int)
    case engineUnavailable(String)
    /// What RAUC said cannot be understood.
    case engineBroken(String)
    /// Not started from one of the two system partitions.
    case notFromSlot
    case file(path: String, reason: String)
    case alreadyInstalling
    case notConfirmed(UpdateReport.System)
    case unknownSigner(String)
    case certificateDate(String)
    case damaged(String)
    case otherBoard(expected: String, found: String)
    case notInstalled(String)
    case restart(String)
}

extension UpdateFailure {
    /// What RAUC complains about.
    package init(engineSaid text: String) {
        let text = Self.lastLine(of: text)
        func says(_ parts: String...) -> Bool { parts.contains { text.contains($0) } }
        if says("lready processing a different method") {
            self = .alreadyInstalling
        } else if says("was not provided by any .service files", "rror creating proxy", "RAUC service disappeared") {
            self = .engineUnavailable(text)
        } else if says("certificate is not yet valid", "certificate has expired") {
            self = .certificateDate(text)
        } else if says("CMS routines::", "invalid signature", "payload is corrupted", "Invalid bundle format") {
            self = .damaged(text)
        } else if says("signature verification failed", "Failed to verify X509 cert") {
            self = .unknownSigner(text)
        } else if let boards = Self.boards(in: text) {
            self = .otherBoard(expected: boards.expected, found: boards.found)
        } else {
            self = .notInstalled(text)
        }
    }

    /// Before it stand messages that tell how it came there.
    private static func lastLine(of text: String) -> String {
        let lines = text.split(separator: "\n").filter { !$0.hasPrefix("rauc-Message") && !$0.hasPrefix("(rauc:") }
        return lines.last.map(String.init) ?? "it gave no reason"
    }

    private static func boards(in text: String) -> (expected: String, found: String)? {
        guard text.contains("Compatible mismatch") else { return nil }
        let quoted = text.split(separator: "'", omittingEmptySubsequences: false)
        return quoted.count == 5 ? (String(quoted[1]), String(quoted[3])) : nil
    }

    package init(_ failure: ChildProcess.Failure) {
        switch failure {
        case .notInstalled: self = .noEngine
        case .silent(_, let seconds): self = .engineSilent(seconds: seconds)
        case .broken(let reason): self = .engineBroken(reason)
        }
    }

    /// A word a program can act on.
    package var code: String {
        switch self {
        case .notRoot: "notAllowed"
        case .noEngine, .engineSilent, .engineUnavailable, .engineBroken, .notFromSlot: "unavailable"
        case .file: "file"
        case .alreadyInstalling: "busy"
        case .notConfirmed: "notConfirmed"
        case .unknownSigner, .certificateDate: "signature"
        case .damaged: "damaged"
        case .otherBoard: "otherBoard"
        case .notInstalled: "failed"
        case .restart: "restart"
        }
    }

    /// Of the program: 69 where this machine cannot be updated at all, else 1.
    package var exitStatus: Int32 { code == "unavailable" ? 69 : 1 }
}

extension UpdateFailure: CustomStringConvertible {
    package var description: String {
        switch self {
        case .notRoot: "an update is installed by root; try with sudo"
        case .noEngine:
            "this system has no update engine (/usr/bin/rauc): it is no EdgeAgent image; update its package with apt"
        case .engineSilent(let seconds):
            "the update engine said nothing for \(seconds) s; see \"journalctl -u rauc\", restart, and try again"
        case .engineUnavailable(let detail):
            "the update engine does not answer; see \"systemctl status rauc\" (\(detail))"
        case .engineBroken(let detail): "the update engine cannot be used: \(detail)"
        case .notFromSlot:
            "this machine was not started from one of its two system partitions, so it has none to update"
        case .file(let path, let reason): "\(path): \(reason)"
        case .alreadyInstalling:
            "an update is being installed already; \"edgectl update --status\" shows when it is done"
        case .notConfirmed(let running):
            "the running system (\(running.version ?? "unknown version") in slot \(running.slot)) is not confirmed yet, "
                + "and the other one is what it would fall back to; it is confirmed when the agent has been healthy "
                + "for a while after the start: see \"edgectl update --status\" and \"edgectl status\""
        case .unknownSigner(let detail):
            "it is not signed by one this device trusts, so it was refused and nothing was changed; "
                + "get it from the device's maker (\(detail))"
        case .certificateDate(let detail):
            "the date of its signature does not fit this device's clock; see \"timedatectl\" (\(detail))"
        case .damaged(let detail):
            "it is cut off, damaged, or no update at all; copy it anew and compare its checksum (\(detail))"
        case .otherBoard(let expected, let found):
            "it is for another board: this device is \"\(expected)\", the update is for \"\(found)\""
        case .notInstalled(let detail):
            "the update was not installed, the running system is unchanged (\(detail))"
        case .restart(let detail):
            "the update is installed, but the restart was refused; restart by hand (\(detail))"
        }
    }
}
