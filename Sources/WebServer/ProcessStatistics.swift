import Glibc

/// What this process uses, from /proc (proc(5)).
package struct ProcessStatistics: Sendable {
    package var residentBytes: Int?
    package var openFiles: Int?
    package var maximumFiles: Int?
    package var cpuSeconds: Double?

    package init(
        residentBytes: Int? = nil, openFiles: Int? = nil, maximumFiles: Int? = nil, cpuSeconds: Double? = nil
    ) {
        self.residentBytes = residentBytes
        self.openFiles = openFiles
        self.maximumFiles = maximumFiles
        self.cpuSeconds = cpuSeconds
    }

    package static func current() -> ProcessStatistics {
        var statistics = ProcessStatistics()
        if let pages = residentPages() { statistics.residentBytes = pages * Int(sysconf(Int32(_SC_PAGESIZE))) }
        statistics.openFiles = countOpenFiles()
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
            statistics.maximumFiles = Int(clamping: limit.rlim_cur)
        }
        var time = timespec()
        if clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 {
            statistics.cpuSeconds = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        return statistics
    }

    /// The second number of statm.
    private static func residentPages() -> Int? {
        let file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 128)
        let count = read(file, &bytes, bytes.count)
        guard count > 0 else { return nil }
        let fields = bytes[..<count].split(separator: UInt8(ascii: " "))
        return fields.count > 1 ? Int(String(decoding: fields[1], as: UTF8.self)) : nil
    }

    private static func countOpenFiles() -> Int? {
        guard let folder = opendir("/proc/self/fd") else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Without ".", ".." and the folder itself.
        return max(0, count - 3)
    }
}
