import ControlProtocol
import Glibc

/// What this process uses, from /proc (proc(5)).
package enum ProcessProbe {
    package static func run() -> ProcessReport {
        var report = ProcessReport()
        report.residentBytes = residentBytes()
        report.openFiles = entries(of: "/proc/self/fd").map { max(0, $0 - 1) }
        report.threads = entries(of: "/proc/self/task")
        report.maximumFiles = maximumFiles()
        var time = timespec()
        if clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time) == 0 {
            report.cpuSeconds = Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
        }
        return report
    }

    package static func maximumFiles() -> Int? {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        return Int(clamping: limit.rlim_cur)
    }

    /// About as many as are open, and found out with two calls: a new file gets the lowest number that is free
    /// (open(2)).
    package static func lowestFreeFile() -> Int? {
        let file = open("/dev/null", O_RDONLY | O_CLOEXEC)
        // None is free.
        guard file >= 0 else { return errno == EMFILE ? maximumFiles() : nil }
        close(file)
        return Int(file)
    }

    package static func residentBytes() -> Int? {
        residentPages().map { $0 * Int(sysconf(Int32(_SC_PAGESIZE))) }
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

    /// Of `fd` one is the folder itself.
    private static func entries(of path: String) -> Int? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var count = 0
        while readdir(folder) != nil { count += 1 }
        // Without "." and "..".
        return max(0, count - 2)
    }
}
