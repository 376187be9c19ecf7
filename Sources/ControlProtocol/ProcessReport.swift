/// What the agent's process uses; nil for what the kernel does not tell.
package struct ProcessReport: Codable, Sendable, Hashable {
    package var residentBytes: Int?
    /// Of all threads, since the start.
    package var cpuSeconds: Double?
    package var openFiles: Int?
    package var maximumFiles: Int?
    package var threads: Int?
    /// How often somebody new was turned away since the start, for lack of memory or files.
    package var turnedAway: Int?

    package init(
        residentBytes: Int? = nil, cpuSeconds: Double? = nil, openFiles: Int? = nil, maximumFiles: Int? = nil,
        threads: Int? = nil, turnedAway: Int? = nil
    ) {
        self.residentBytes = residentBytes
        self.cpuSeconds = cpuSeconds
        self.openFiles = openFiles
        self.maximumFiles = maximumFiles
        self.threads = threads
        self.turnedAway = turnedAway
    }
}
