/// Candidates that come after the offer (RFC 8840, `application/trickle-ice-sdpfrag`).
package struct CandidateFragment: Sendable, Hashable {
    package static let maximumBytes = 16 << 10

    /// Of the session that they belong to; nil where it does not say.
    package var ufrag: String?
    package var candidates: [ICECandidate] = []
    package var isLast = false

    package init(ufrag: String? = nil, candidates: [ICECandidate] = [], isLast: Bool = false) {
        self.ufrag = ufrag
        self.candidates = candidates
        self.isLast = isLast
    }

    /// Nil where it is too long. Lines that say nothing known are passed over.
    package init?(_ text: some StringProtocol) {
        guard text.utf8.count <= Self.maximumBytes else { return nil }
        for line in String(text).unicodeScalars.split(whereSeparator: { $0 == "\n" || $0 == "\r" }) {
            let line = Substring(line)
            if line.hasPrefix("a=ice-ufrag:") { ufrag = ufrag ?? String(line.dropFirst(12).prefix(256)) }
            if line == "a=end-of-candidates" { isLast = true }
            guard line.hasPrefix("a=candidate:") || line.hasPrefix("candidate:"),
                candidates.count < SessionDescription.maximumCandidates, let candidate = ICECandidate(line)
            else { continue }
            candidates.append(candidate)
        }
    }

    package var text: String {
        var lines = ufrag.map { ["a=ice-ufrag:\($0)"] } ?? []
        lines += candidates.map { "a=\($0.line)" }
        if isLast { lines.append("a=end-of-candidates") }
        return lines.map { $0 + "\r\n" }.joined()
    }
}
