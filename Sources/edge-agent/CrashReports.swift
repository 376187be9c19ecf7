import CCrashReport
import ControlProtocol
import Glibc

/// Files about crashes of earlier runs, in the state folder: for `edgectl bundle`, and for whoever wonders.
enum CrashReports {
    /// More are not kept.
    static let maximum = 5

    /// From now on a crash leaves a report behind. Before other threads begin.
    /// - Parameter stateFolder: what holds the folder of reports.
    /// - Returns: how many there are of earlier runs.
    static func begin(in stateFolder: String) -> Int {
        let folder = stateFolder + "/crashes"
        let isThere = Folders.make(folder, mode: 0o700) == nil
        crash_report_install(isThere ? folder : nil, agentVersion)
        return isThere ? prune(folder) : 0
    }

    /// The oldest go.
    private static func prune(_ folder: String) -> Int {
        guard let handle = opendir(folder) else { return 0 }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) {
                String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasPrefix("crash-") { names.append(name) }
        }
        for name in names.sorted().dropLast(maximum) { unlink("\(folder)/\(name)") }
        return min(names.count, maximum)
    }
}
