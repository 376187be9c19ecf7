/// An offer or an answer (RFC 8866, 8829, 8841), as far as it is about data channels. What else an offer has is refused
/// in the answer, section by section.
package struct SessionDescription: Sendable, Hashable {
    package enum Setup: String, Sendable, Hashable { case active, passive, actpass }

    /// A section of the offer, in its order.
    package enum Section: Sendable, Hashable {
        case dataChannels
        /// Its media, transport and first format, such as `audio UDP/TLS/RTP/SAVPF 111`.
        case refused(media: String, transport: String, format: String)
    }

    package struct Problem: Error, Sendable, Hashable, CustomStringConvertible {
        package let description: String
        init(_ description: String) { self.description = description }
    }

    package static let maximumBytes = 32 << 10
    package static let maximumLines = 512
    package static let maximumSections = 16
    /// More candidates are not looked at.
    package static let maximumCandidates = 32
    package static let maximumFingerprints = 8
    /// What a peer that says nothing takes (RFC 8841, 6.1), in bytes.
    package static let defaultMessageSize = 65536
    package static let defaultSCTPPort: UInt16 = 5000

    package var sections: [Section] = [.dataChannels]
    package var mid = "0"
    package var credentials: ICECredentials
    package var fingerprints: [CertificateFingerprint]
    package var setup: Setup
    package var sctpPort = Self.defaultSCTPPort
    /// The largest message that the sender of this description takes, in bytes; 0 means any.
    package var maximumMessageSize = Self.defaultMessageSize
    /// Who takes only less than this is given as much all the same: nobody does, and pieces would cost more than they carry.
    private static let smallestMessageSize = 1 << 10

    /// Of messages to the sender of this description, in bytes: `limit`, or less where it takes less.
    package func messageBytes(atMost limit: Int) -> Int {
        maximumMessageSize == 0 ? limit : min(limit, max(maximumMessageSize, Self.smallestMessageSize))
    }
    package var candidates: [ICECandidate] = []
    package var hasAllCandidates = false

    package init(credentials: ICECredentials, fingerprints: [CertificateFingerprint], setup: Setup) {
        self.credentials = credentials
        self.fingerprints = fingerprints
        self.setup = setup
    }

    // MARK: Reading

    package init(_ text: some StringProtocol) throws(Problem) {
        var reader = try DescriptionReader(text)
        try reader.read()
        guard let section = reader.section else {
            throw Problem("the description offers no data channels (m=application … webrtc-datachannel)")
        }
        let attributes = section.inheriting(reader.session)
        guard let ufrag = attributes.ufrag, let password = attributes.password,
            let credentials = ICECredentials(ufrag: ufrag, password: password)
        else { throw Problem("the description has no usable ice-ufrag and ice-pwd") }
        guard !attributes.fingerprints.isEmpty else {
            throw Problem("the description has no fingerprint of a kind that is known here (sha-256, -384, -512)")
        }
        self.init(
            credentials: credentials, fingerprints: attributes.fingerprints, setup: attributes.setup ?? .actpass)
        sections = reader.sections
        if let mid = attributes.mid { self.mid = mid }
        if let port = attributes.sctpPort { sctpPort = port }
        if let size = attributes.maximumMessageSize { maximumMessageSize = size }
        candidates = attributes.candidates
        hasAllCandidates = attributes.hasAllCandidates
    }

    // MARK: Writing

    /// - Parameter version: higher in each new description of the same session.
    package func text(session: UInt64, version: Int = 1) -> String {
        var lines = ["v=0", "o=- \(session) \(version) IN IP4 127.0.0.1", "s=-", "t=0 0", "a=group:BUNDLE \(mid)"]
        for section in sections {
            switch section {
            case .refused(let media, let transport, let format):
                lines += ["m=\(media) 0 \(transport) \(format)", "c=IN IP4 0.0.0.0", "a=inactive"]
            case .dataChannels: lines += dataChannelLines
            }
        }
        return lines.joined(separator: "\r\n") + "\r\n"
    }

    private var dataChannelLines: [String] {
        var lines = [
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "c=IN IP4 0.0.0.0", "a=mid:\(mid)",
            "a=ice-ufrag:\(credentials.ufrag)", "a=ice-pwd:\(credentials.password)", "a=ice-options:trickle",
        ]
        lines += fingerprints.map { "a=fingerprint:\($0.text)" }
        lines += [
            "a=setup:\(setup.rawValue)", "a=sctp-port:\(sctpPort)", "a=max-message-size:\(maximumMessageSize)",
        ]
        lines += candidates.map { "a=\($0.line)" }
        if hasAllCandidates { lines.append("a=end-of-candidates") }
        return lines
    }
}

/// The name and password of one end's checks (RFC 8839, 5.4).
package struct ICECredentials: Sendable, Hashable {
    package let ufrag: String
    package let password: String

    package init?(ufrag: some StringProtocol, password: some StringProtocol) {
        guard (4...256).contains(ufrag.utf8.count), (22...256).contains(password.utf8.count),
            ufrag.utf8.allSatisfy(\.isICECharacter), password.utf8.allSatisfy(\.isICECharacter)
        else { return nil }
        self.ufrag = String(ufrag)
        self.password = String(password)
    }
}
