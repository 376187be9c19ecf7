import Diagnostics
import WebServer

extension ProcessProbe {
    /// What the process uses of what the system gives it; nil where that is not limited.
    static func use(of resource: ResourceBudget.Resource) -> ResourceBudget.Use? {
        switch resource {
        case .memory:
            guard let limit = AgentDiagnosis.memoryLimit(), let used = residentBytes() else { return nil }
            return .init(used: used, allowed: limit)
        case .files:
            guard let limit = maximumFiles(), let used = lowestFreeFile() else { return nil }
            return .init(used: used, allowed: limit)
        }
    }
}
