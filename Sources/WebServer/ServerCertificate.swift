import Access
import Glibc
import Media
import NIOCore
import NIOSSL
import Synchronization

/// What the web server shows of itself over TLS: a certificate and its key, read again when the files change. What is
/// broken then changes nothing: connections go on with what was good.
package final class ServerCertificate: Sendable {
    package struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
        package init(_ description: String) { self.description = description }
    }

    /// Larger files are none of these.
    private static let maximumFileBytes = 256 << 10

    private struct State: Sendable {
        var context: NIOSSLContext?
        var fingerprint: String?
        var validity: ClosedRange<Int64>?
        /// Why what the files hold now is not in use.
        var problem: String?
        /// Of what was read last, and whether it is in use.
        var digest: [UInt8] = []
        var isInUse = false

        /// Whether that was read before; a file that could not be read meanwhile is no problem any more.
        mutating func knows(_ digest: [UInt8]) -> Bool {
            guard digest == self.digest else { return false }
            if isInUse { problem = nil }
            return true
        }
    }

    private let certificatePath: String
    private let keyPath: String
    private let state = Mutex(State())

    /// - Parameters:
    ///   - certificate: a PEM file: the server's own certificate first, then those that lead to a known one.
    ///   - key: a PEM file; it may be the same.
    package init(certificate: String, key: String) {
        certificatePath = certificate
        keyPath = key
    }

    /// Nil before it was read.
    var context: NIOSSLContext? { state.withLock { $0.context } }
    /// SHA-256 of the certificate, as AA:BB:…
    package var fingerprint: String? { state.withLock { $0.fingerprint } }
    /// When it is good, in seconds since 1970; nil where nothing was read, or it ends before it begins.
    package var validity: ClosedRange<Int64>? { state.withLock { $0.validity } }
    package var problem: String? { state.withLock { $0.problem } }

    /// Reads the files, where they changed. Blocks.
    ///
    /// - Returns: whether there is another certificate now.
    package func review() throws(Problem) -> Bool {
        let files: [[UInt8]]
        do throws(Problem) {
            files = [try Self.read(certificatePath), try Self.read(keyPath)]
        } catch {
            // A file that cannot be read may be one that is being replaced: no news is told twice.
            guard state.withLock({ $0.problem != error.description }) else { return false }
            throw noted(error)
        }
        let digest = SHA256.hash(files[0] + SHA256.hash(files[1]))
        guard state.withLock({ !$0.knows(digest) }) else { return false }
        do {
            let chain = try NIOSSLCertificate.fromPEMBytes(files[0])
            guard let own = chain.first else { throw Problem("no certificate in it") }
            let (from, until) = (Int64(own.notValidBefore), Int64(own.notValidAfter))
            let new = State(
                context: try Self.context(chain, key: files[1]), fingerprint: try Self.fingerprint(own),
                validity: from <= until ? from...until : nil, digest: digest, isInUse: true)
            state.withLock { $0 = new }
            return true
        } catch {
            state.withLock { ($0.digest, $0.isInUse) = (digest, false) }
            throw noted(Problem("\(certificatePath) and \(keyPath) do not make a certificate: \(error)"))
        }
    }

    private func noted(_ problem: Problem) -> Problem {
        state.withLock { $0.problem = problem.description }
        return problem
    }

    private static func read(_ path: String) throws(Problem) -> [UInt8] {
        let found: [UInt8]?
        do throws(StateFile.Failure) { found = try StateFile.read(path, maximumBytes: maximumFileBytes) } catch {
            throw Problem("\(error)")
        }
        guard let bytes = found else { throw Problem("\(path) is not there") }
        guard bytes.count <= maximumFileBytes else { throw Problem("\(path) is too long") }
        return bytes
    }

    private static func context(_ chain: [NIOSSLCertificate], key: [UInt8]) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) },
            privateKey: .privateKey(try NIOSSLPrivateKey(bytes: key, format: .pem)))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        configuration.shutdownTimeout = .milliseconds(300)
        return try NIOSSLContext(configuration: configuration)
    }

    private static func fingerprint(_ certificate: NIOSSLCertificate) throws -> String {
        SHA256.hash(try certificate.toDERBytes()).map { Hex.encode([$0]).uppercased() }.joined(separator: ":")
    }
}
