import Access
import Logging
import NIOCore
import Streaming

/// All peers of the device. Costs next to nothing before the first offer comes: libraries, certificate and thread are
/// had for that.
package actor PeerLinks {
    private let settings: PeerSettings
    private let certificatePath: String
    private let logger: Logger
    private let onChannel: LinkTable.ChannelHandler
    private var opening: Task<LinkTable, any Error>?
    private var table: LinkTable?
    private var isStopped = false
    /// What was said last of why there can be none.
    private var reported: String?

    /// - Parameters:
    ///   - certificatePath: where the device's certificate is kept.
    ///   - onChannel: called on the peer loop with each channel that a peer opens; gives it its handler.
    package init(
        settings: PeerSettings, certificatePath: String, logger: Logger,
        onChannel: @escaping @Sendable (DataChannel) -> Void
    ) {
        self.settings = settings
        self.certificatePath = certificatePath
        self.logger = logger
        self.onChannel = onChannel
    }

    /// An answer to an offer, and the name of the link that it makes.
    package func answer(
        _ offer: SessionDescription, grant: Grant
    ) async throws(PeerRefusal) -> (token: String, answer: String) {
        try await open().answer(offer, grant: grant)
    }

    package func take(_ fragment: CandidateFragment, for token: String) async throws(PeerRefusal) {
        guard let table else { throw LinkTable.unknownLink }
        try await table.take(fragment, for: token)
    }

    package func end(_ token: String) async throws(PeerRefusal) {
        guard let table else { throw LinkTable.unknownLink }
        try await table.end(token)
    }

    /// Ends all links, and takes no more.
    package func stop() async {
        isStopped = true
        guard let table = try? await opening?.value else { return }
        await table.stop()
    }

    package func reports() async -> [PeerLinkSnapshot] { await table?.reports() ?? [] }

    // MARK: The first offer

    private func open() async throws(PeerRefusal) -> LinkTable {
        guard !isStopped else { throw PeerRefusal(.unavailable, "the device takes no peers any more") }
        if let table { return table }
        let (path, settings, onChannel, logger) = (certificatePath, settings, onChannel, logger)
        let opening =
            opening
            ?? Task {
                try await MediaThread.run(name: "peers-open") {
                    Result {
                        try PeerLibraries.open()
                        let certificate = try PeerCertificate.kept(at: path) { problem in
                            logger.warning("the peers' certificate", metadata: ["detail": "\(problem)"])
                        }
                        return try LinkTable(certificate, settings: settings, logger: logger, onChannel: onChannel)
                    }
                }.get()
            }
        self.opening = opening
        do {
            let table = try await opening.value
            self.table = table
            reported = nil
            return table
        } catch {
            // What is missing may be there the next time.
            self.opening = nil
            report("\(error)")
            throw PeerRefusal(.unavailable, "\(error)")
        }
    }

    private func report(_ problem: String) {
        guard problem != reported else { return }
        reported = problem
        logger.error("no viewer can connect peer to peer", metadata: ["detail": "\(problem)"])
    }
}
