import PeerToPeer

extension RendezvousSettings {
    /// The section "rendezvous"; nil where it names no broker.
    init?(_ section: SectionReader) {
        let address = section.text("broker", maximumLength: 255)
        let user = section.text("user", maximumLength: 255)
        let password = section.text("password", maximumLength: 255)
        let authorities = section.absolutePath("authorities", maximumLength: 4095)
        let certificate = section.absolutePath("certificate", maximumLength: 4095)
        let key = section.absolutePath("key", maximumLength: 4095)
        let topic = section.topic()
        if let node = section.node("certificate"), certificate != nil, key == nil {
            section.mistake(at: node, "\(section.path).certificate needs \(section.path).key")
        }
        guard let address, let node = section.node("broker") else { return nil }
        guard let settings = RendezvousSettings(address) else {
            section.mistake(
                at: node, "\(section.path).broker must be mqtt://HOST:PORT or mqtts://HOST:PORT, not \"\(address)\"")
            return nil
        }
        self = settings
        self.user = user
        self.password = password
        self.authorities = authorities
        self.certificate = certificate
        self.key = key
        self.topic = topic ?? self.topic
    }
}

extension SectionReader {
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
