import ControlProtocol

/// Judges the agent's own process.
package enum AgentDiagnosis {
    package struct Facts: Sendable {
        package var version: String
        package var uptimeSeconds: Double
        /// What the watchdog found; nil while all is well.
        package var illness: String?
        package var openFiles: Int?
        package var maximumFiles: Int?
        package var residentBytes: Int?
        /// What the service manager allows; nil without a limit.
        package var memoryLimit: Int?

        package init(
            version: String, uptimeSeconds: Double, illness: String? = nil, openFiles: Int? = nil,
            maximumFiles: Int? = nil, residentBytes: Int? = nil, memoryLimit: Int? = nil
        ) {
            self.version = version
            self.uptimeSeconds = uptimeSeconds
            self.illness = illness
            self.openFiles = openFiles
            self.maximumFiles = maximumFiles
            self.residentBytes = residentBytes
            self.memoryLimit = memoryLimit
        }
    }

    /// Parts of a limit.
    static let nearlyUsedUp = 0.8

    package static func findings(_ facts: Facts) -> [FindingReport] {
        var found: [FindingReport] = []
        if let illness = facts.illness {
            found.append(
                FindingReport(
                    .agent, "stuck", .failure, illness,
                    advice: "The service manager starts it anew by itself; `edgectl bundle` first keeps what shows why")
            )
        }
        if let open = facts.openFiles, let most = facts.maximumFiles, Double(open) > Double(most) * nearlyUsedUp {
            found.append(
                FindingReport(
                    .agent, "files", .warning,
                    "\(open) of \(most) files are open; newcomers are turned away from 90 % on",
                    advice: "More viewers than it was made for? LimitNOFILE= in edge-agent.service.d raises it"))
        }
        if let resident = facts.residentBytes, let limit = facts.memoryLimit,
            Double(resident) > Double(limit) * nearlyUsedUp
        {
            found.append(
                FindingReport(
                    .agent, "memory", .warning,
                    "\(resident >> 20) of \(limit >> 20) MB of memory are used; newcomers are turned away from 90 % on",
                    advice:
                        "More channels or viewers than it was made for? MemoryMax= in edge-agent.service.d raises it"))
        }
        guard found.isEmpty else { return found }
        let memory = facts.residentBytes.map { ", \($0 >> 20) MB" } ?? ""
        return [.ok(.agent, "edge-agent \(facts.version) answers, up \(Int(facts.uptimeSeconds)) s\(memory)")]
    }

    /// From the control group's files; nil without a limit.
    package static func memoryLimit() -> Int? {
        // Version 2 has one line: "0::/system.slice/edge-agent.service".
        guard let line = SmallFile.line("/proc/self/cgroup"), line.hasPrefix("0::/") else { return nil }
        return SmallFile.number("/sys/fs/cgroup\(line.dropFirst(3))/memory.max")
    }
}
