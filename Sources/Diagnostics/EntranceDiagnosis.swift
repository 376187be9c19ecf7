import ControlProtocol

/// Judges the way in for viewers: whether it asks who they are, and its certificate.
package enum EntranceDiagnosis {
    /// Whoever renews certificates does so weeks before their end; most programs at 30 days.
    static let daysToRenew = 14

    /// - Parameter now: seconds since 1970.
    package static func findings(_ entrance: EntranceReport, now: Int64) -> [FindingReport] {
        let address = entrance.addresses.first ?? ""
        var found: [FindingReport] = []
        func add(_ code: String, _ verdict: FindingReport.Verdict, _ text: String, _ advice: String) {
            found.append(FindingReport(.network, code, verdict, subject: address, text, advice: advice))
        }
        if entrance.isOpen, !entrance.isLoopback {
            add(
                "open", .warning, "whoever reaches it may watch and command without a token",
                "`access.open: false` asks for tokens, and `edgectl access show` has the first ones")
        }
        if let problem = entrance.problem {
            add(
                "certificateNotInUse", .warning, "its new certificate is not in use, the old one goes on: \(problem)",
                "server.tls names both files: PEM, readable for edge-agent, the key the one of the certificate")
        }
        let renewal = """
            Renew it: files that change are read by themselves, and `edgectl access` shows what is in use. One that \
            the device made is made anew at a start without it (server-certificate.pem in the state folder)
            """
        if let end = entrance.validUntil, end <= now {
            add("certificateExpired", .failure, "its certificate ended on \(date(end)); browsers refuse it", renewal)
        } else if let start = entrance.validFrom, start > now {
            add(
                "certificateNotYetValid", .failure, "its certificate begins on \(date(start)); browsers refuse it",
                "Is the device's clock right? `edgectl doctor clock`")
        } else if let end = entrance.validUntil, end - now < Int64(daysToRenew) * 86_400 {
            add("certificateExpires", .warning, "its certificate ends on \(date(end))", renewal)
        }
        guard found.isEmpty else { return found }
        let certificate = entrance.validUntil.map { ", with a certificate until \(date($0))" } ?? ""
        return [.ok(.network, subject: address, "viewers come in here\(certificate)")]
    }

    private static func date(_ seconds: Int64) -> String { ClockDiagnosis.date(Int(seconds)) }
}
