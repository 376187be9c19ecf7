/// Goes through a description line by line. Unknown lines are passed over.
struct DescriptionReader {
    /// What is said of the session, or of one section.
    struct Attributes {
        var mid: String?
        var ufrag: Substring?
        var password: Substring?
        var fingerprints: [CertificateFingerprint] = []
        var setup: SessionDescription.Setup?
        var sctpPort: UInt16?
        var maximumMessageSize: Int?
        var candidates: [ICECandidate] = []
        var hasAllCandidates = false

        /// What the section does not say itself, the session says for it.
        func inheriting(_ session: Attributes) -> Attributes {
            var all = self
            all.ufrag = ufrag ?? session.ufrag
            all.password = password ?? session.password
            all.setup = setup ?? session.setup
            if fingerprints.isEmpty { all.fingerprints = session.fingerprints }
            return all
        }

        mutating func read(_ name: Substring, _ value: Substring) {
            switch name {
            case "mid": if (1...64).contains(value.utf8.count), value.utf8.allSatisfy(\.isToken) { mid = String(value) }
            case "ice-ufrag": ufrag = value
            case "ice-pwd": password = value
            case "fingerprint":
                guard fingerprints.count < SessionDescription.maximumFingerprints,
                    let fingerprint = CertificateFingerprint(value)
                else { return }
                fingerprints.append(fingerprint)
            case "setup": setup = SessionDescription.Setup(rawValue: value.lowercased())
            case "sctp-port": sctpPort = UInt16(value)
            case "max-message-size": maximumMessageSize = Int(value).flatMap { $0 >= 0 ? $0 : nil }
            case "candidate":
                guard candidates.count < SessionDescription.maximumCandidates, let candidate = ICECandidate(value)
                else {
                    return
                }
                candidates.append(candidate)
            case "end-of-candidates": hasAllCandidates = true
            default: break
            }
        }
    }

    private(set) var session = Attributes()
    /// The first section with data channels.
    private(set) var section: Attributes?
    private(set) var sections: [SessionDescription.Section] = []
    private var place = Place.session
    private let lines: [Substring]

    private enum Place { case session, dataChannels, elsewhere }

    init(_ text: some StringProtocol) throws(SessionDescription.Problem) {
        guard text.utf8.count <= SessionDescription.maximumBytes else {
            throw .init("a description has at most \(SessionDescription.maximumBytes) bytes")
        }
        // A carriage return and a line feed are one Character, so this is about scalars.
        lines = String(text).unicodeScalars.split(maxSplits: SessionDescription.maximumLines) {
            $0 == "\n" || $0 == "\r"
        }.map { Substring($0) }
        guard lines.count <= SessionDescription.maximumLines else {
            throw .init("a description has at most \(SessionDescription.maximumLines) lines")
        }
        guard lines.first == "v=0" else { throw .init("this is no session description; the first line must be v=0") }
    }

    mutating func read() throws(SessionDescription.Problem) {
        for line in lines {
            if line.hasPrefix("m=") { try beginSection(line.dropFirst(2)) }
            guard line.hasPrefix("a=") else { continue }
            let text = line.dropFirst(2)
            let colon = text.firstIndex(of: ":") ?? text.endIndex
            let value = colon == text.endIndex ? "" : text[text.index(after: colon)...]
            switch place {
            case .session: session.read(text[..<colon], value)
            case .dataChannels: section?.read(text[..<colon], value)
            case .elsewhere: break
            }
        }
    }

    private mutating func beginSection(_ line: Substring) throws(SessionDescription.Problem) {
        let words = line.split(separator: " ")
        guard words.count >= 4, words.allSatisfy({ $0.utf8.count <= 64 && $0.utf8.allSatisfy(\.isToken) }) else {
            throw .init("a line m= cannot be read")
        }
        guard sections.count < SessionDescription.maximumSections else {
            throw .init("a description has at most \(SessionDescription.maximumSections) sections")
        }
        let isOurs = words[0] == "application" && words[2].hasSuffix("DTLS/SCTP") && words[3] == "webrtc-datachannel"
        if isOurs, section == nil {
            sections.append(.dataChannels)
            section = Attributes()
            place = .dataChannels
        } else {
            sections.append(
                .refused(media: String(words[0]), transport: String(words[2]), format: String(words[3])))
            place = .elsewhere
        }
    }
}

extension UInt8 {
    /// What may stand in a word of a description: everything visible.
    fileprivate var isToken: Bool { (0x21...0x7E).contains(self) }
}
