import ControlProtocol
import NIOCore
import NIOPosix
import Synchronization
import WebServer

/// Where viewers come in, as people write it.
final class Entrance: Sendable {
    let address: String
    private let isOpen: Bool
    private let certificate: ServerCertificate?
    private let port: Mutex<Int>

    /// - Parameter certificate: nil for plain HTTP.
    init(address: String, port: Int, isOpen: Bool, certificate: ServerCertificate?) {
        self.address = address
        self.isOpen = isOpen
        self.certificate = certificate
        self.port = Mutex(port)
    }

    /// The server listens; at another port where the system was to choose it.
    func opened(port: Int?) { if let port { self.port.withLock { $0 = port } } }

    var isLoopback: Bool { Self.isLoopback(address) }

    static func isLoopback(_ address: String) -> Bool {
        address.hasPrefix("127.") || address == "::1" || address == "localhost"
    }

    var report: EntranceReport {
        let port = port.withLock { $0 }
        let scheme = certificate == nil ? "http" : "https"
        let validity = certificate?.validity
        return EntranceReport(
            isOpen: isOpen, isLoopback: isLoopback, addresses: hosts.map { "\(scheme)://\($0):\(port)/" },
            fingerprint: certificate?.fingerprint, validFrom: validity?.lowerBound, validUntil: validity?.upperBound,
            problem: certificate?.problem)
    }

    /// Of this machine, where it listens at all of its addresses.
    private var hosts: [String] {
        guard ["0.0.0.0", "::"].contains(address) else { return [Self.bracketed(address)] }
        let own = (try? System.enumerateDevices()) ?? []
        let found = own.compactMap { $0.address?.ipAddress }.filter {
            !Self.isLoopback($0) && !$0.hasPrefix("fe80:") && (address == "::" || !$0.contains(":"))
        }
        // Those that are easier to type come first.
        return (found.sorted { $0.utf8.count < $1.utf8.count } + ["127.0.0.1"]).map(Self.bracketed)
    }

    private static func bracketed(_ address: String) -> String { address.contains(":") ? "[\(address)]" : address }
}
