/// The two systems on this device, and what became of the last update. The answer to `edgectl update --status --json`.
package struct UpdateReport: Codable, Sendable, Hashable {
    package struct System: Codable, Sendable, Hashable {
        /// The boot loader's name of the partition, A or B.
        package var slot: String
        package var version: String?

        package init(slot: String, version: String?) {
            self.slot = slot
            self.version = version
        }
    }

    package enum Outcome: String, Codable, Sendable {
        /// Written; the next restart tries it.
        case waitsForRestart
        /// Running, and not yet healthy for long enough.
        case onTrial
        /// Running, and healthy.
        case confirmed
        /// It was started, did not become healthy, and the system before it took over again.
        case rolledBack
        /// It was not written to its end, and will not be started.
        case interrupted
    }

    package struct Update: Codable, Sendable, Hashable {
        package var slot: String
        package var version: String?
        package var outcome: Outcome
        /// RFC 3339; the device's clock.
        package var installed: String?

        package init(slot: String, version: String?, outcome: Outcome, installed: String?) {
            self.slot = slot
            self.version = version
            self.outcome = outcome
            self.installed = installed
        }
    }

    /// Bundles for another board are refused.
    package var board: String?
    package var running: System
    /// Only a confirmed system may be updated: the other one is what a failure falls back to.
    package var confirmed: Bool
    package var other: System?
    /// The slot that the next restart starts, if it is known.
    package var next: String?
    /// None where nothing was ever installed.
    package var lastUpdate: Update?
}

extension UpdateReport {
    /// - Returns: nil where the machine was not started from one of the slots.
    package init?(_ status: RAUCStatus, release: SystemRelease) {
        let slots = status.slots.flatMap { $0 }.filter { $0.value.bootname != nil }
        guard let running = slots.first(where: { $0.value.state == "booted" })?.value else { return nil }
        let other = slots.first { $0.value.state != "booted" }?.value

        board = status.compatible
        self.running = System(slot: running.name, version: release.imageVersion ?? running.version)
        confirmed = running.isGood
        self.other = other.map { System(slot: $0.name, version: $0.version) }
        next = slots.first { $0.key == status.primary }?.value.bootname
        // A slot on trial counts as bad for RAUC, which then names the one to fall back to.
        if !confirmed { next = running.name }
        lastUpdate = Self.lastUpdate(running: running, other: other, next: next)
    }

    private static func lastUpdate(running: RAUCStatus.Slot, other: RAUCStatus.Slot?, next: String?) -> Update? {
        func update(of slot: RAUCStatus.Slot, _ outcome: Outcome) -> Update {
            Update(
                slot: slot.name, version: slot.version, outcome: outcome,
                installed: slot.content?.installed?.timestamp)
        }
        if let other, other.isHalfWritten { return update(of: other, .interrupted) }
        // The one that was activated last is the last update.
        if let other, let activated = other.activated, activated > running.activated ?? "" {
            if !other.isGood { return update(of: other, .rolledBack) }
            return next == other.name ? update(of: other, .waitsForRestart) : nil
        }
        return running.activated == nil ? nil : update(of: running, running.isGood ? .confirmed : .onTrial)
    }
}

extension RAUCStatus.Slot {
    fileprivate var name: String { bootname ?? "" }
    fileprivate var version: String? { content?.bundle?.version }
    fileprivate var isGood: Bool { bootStatus == "good" }
    fileprivate var activated: String? { content?.activated?.timestamp }

    /// RAUC notes "ok" after the last byte, and the activation after that.
    fileprivate var isHalfWritten: Bool {
        guard let content, let status = content.status else { return false }
        return status != "ok" || !isGood && (activated ?? "") < content.installed?.timestamp ?? ""
    }
}
