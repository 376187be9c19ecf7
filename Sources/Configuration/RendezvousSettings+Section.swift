import Access
import PeerToPeer

extension RendezvousSettings {
    /// The section "rendezvous"; nil where it names no broker.
    ///
    /// - Parameter hasTickets: whether the device has a key for tickets.
    init?(_ section: SectionReader, hasTickets: Bool) {
        let address = section.text("broker", maximumLength: 255)
        let user = section.text("user", maximumLength: 255)
        let password = section.secret("password", maximumLength: 255)
        let authorities = section.absolutePath("authorities", maximumLength: 4095)
        let certificate = section.absolutePath("certificate", maximumLength: 4095)
        let key = section.absolutePath("key", maximumLength: 4095)
        let topic = section.topic()
        let infoRights = section.infoRights(hasTickets: hasTickets)
        let infoSeconds = section.integer("infoSeconds", 10...86_400)
        if let node = section.node("certificate"), certificate != nil, key == nil {
            section.mistake(at: node, "\(section.path).certificate needs \(section.path).key")
        }
        guard let address, let node = section.node("broker") else { return nil }
        guard let settings = RendezvousSettings(address) else {
            section.mistake(
                // Somebody may have written a password there, so it is not repeated.
                at: node, "\(section.path).broker must be mqtt://HOST:PORT or mqtts://HOST:PORT")
            return nil
        }
        self = settings
        self.user = user
        self.password = password
        self.authorities = authorities
        self.certificate = certificate
        self.key = key
        self.topic = topic ?? self.topic
        self.infoRights = infoRights
        self.infoSeconds = infoSeconds ?? self.infoSeconds
    }
}

extension SectionReader {
    fileprivate func infoRights(hasTickets: Bool) -> Set<Right> {
        guard let names = texts("infoRights", maximum: 16), let node = node("infoRights") else { return [] }
        let known = Right.allCases.filter(Right.ofViewers.contains).map(\.rawValue)
        for name in names where !known.contains(name) {
            mistake(
                at: node, "\(path).infoRights: \"\(name)\" is no right",
                hint: "there are \(known.joined(separator: ", "))")
        }
        if !names.isEmpty, !hasTickets { mistake(at: node, "\(path).infoRights needs peers.ticketKey") }
        return Set(names.compactMap(Right.init(rawValue:)))
    }

    fileprivate func topic() -> String? {
        guard let text = text("topic", maximumLength: 255), let node = node("topic") else { return nil }
        let levels = text.split(separator: "/", omittingEmptySubsequences: false)
        guard levels.allSatisfy({ !$0.isEmpty && !$0.contains("+") && !$0.contains("#") }), !text.hasPrefix("$") else {
            mistake(at: node, "\(path).topic must be levels joined by /, without + and #, not \"\(text)\"")
            return nil
        }
        return text
    }
}
