import PlatformProtocol

/// Reads the section `platforms`.
enum PlatformReader {
    /// - Parameter channels: the ids there are.
    static func platforms(_ root: SectionReader, channels: [Int]) -> [PlatformSettings] {
        let platforms = root.optionalSections("platforms", maximum: PlatformSettings.maximumPlatforms) {
            section, index in
            (platform(section, index: index, channels: channels), section.position)
        }
        for (index, (settings, position)) in platforms.enumerated() {
            for (other, _) in platforms[..<index] where other.name == settings.name {
                root.notes.add(
                    ConfigurationMistake(
                        at: position, "platforms[\(index)].name is \"\(settings.name)\", as that of another one",
                        hint: "give each platform a name of its own"))
            }
            // A platform drops the older of two connections of one terminal.
            for (other, _) in platforms[..<index]
            where other.phone == settings.phone && !Set(other.servers).isDisjoint(with: settings.servers) {
                root.notes.add(
                    ConfigurationMistake(
                        at: position, "platforms[\(index)] is another link of the same phone to the same server",
                        hint: "remove one of the two"))
            }
        }
        return platforms.map(\.0)
    }

    private static func platform(_ section: SectionReader, index: Int, channels: [Int]) -> PlatformSettings {
        var settings = PlatformSettings(
            name: name(section) ?? "platform\(index)", servers: servers(section), phone: phone(section),
            channels: self.channels(section, channels))
        settings.version =
            section.choice("version", JT808Version.allCases.map { ($0.rawValue, $0) }) ?? .v2013
        settings.simLength = section.choice("simBytes", [("6", 6), ("10", 10)])
        checkLength(settings, section)
        settings.audio = section.choice("audio", JT1078Audio.allCases.map { ($0.rawValue, $0) }) ?? .aac
        settings.heartbeat = section.integer("heartbeat", 1...3600) ?? 30
        settings.answerTimeout = section.integer("answerTimeout", 1...600) ?? 10
        settings.resends = section.integer("resends", 0...10) ?? 3
        settings.locationInterval = section.integer("locationInterval", 1...86400) ?? 30
        settings.liveTarget = liveTarget(section)
        settings.playbackAnswer =
            section.choice("playbackAnswer", PlatformSettings.PlaybackAnswer.allCases.map { ($0.rawValue, $0) })
            ?? .both
        settings.identity = section.section("terminal", identity)
        (settings.position, settings.gpsd) = section.section("position") { (position($0), gpsd($0)) }
        return settings
    }

    /// Part of a file's name.
    private static func name(_ section: SectionReader) -> String? {
        guard let name = section.text("name", maximumLength: 32), let node = section.node("name") else {
            section.require("name", isThere: false, "a word for this platform, such as fleet")
            return nil
        }
        guard !name.isEmpty,
            name.utf8.allSatisfy({
                (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D
            })
        else {
            section.mistake(at: node, "\(section.path).name has other characters than letters, digits and -")
            return nil
        }
        return name
    }

    private static func servers(_ section: SectionReader) -> [PlatformSettings.Server] {
        let texts = section.texts("servers", maximum: 4) ?? []
        let servers = texts.compactMap(server)
        if let node = section.node("servers"), servers.count != texts.count || texts.isEmpty {
            section.mistake(
                at: node, "\(section.path).servers has something that is no host with a port",
                hint: "write [gps.example.org:7611], the main server first")
        }
        section.require("servers", isThere: false, "the platform's addresses, such as [gps.example.org:7611]")
        return servers
    }

    private static func server(_ text: String) -> PlatformSettings.Server? {
        guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
            (1...65535).contains(port)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x2F && $0 != 0x40 }) else { return nil }
        return .init(host: String(host), port: port)
    }

    private static func phone(_ section: SectionReader) -> PhoneNumber {
        guard let text = section.text("phone"), let node = section.node("phone") else {
            section.require("phone", isThere: false, "the number that the platform knows this terminal by")
            return .none
        }
        guard let phone = PhoneNumber(text) else {
            section.mistake(at: node, "\(section.path).phone is no number of up to 20 digits")
            return .none
        }
        return phone
    }

    /// Platforms find a stream by the whole number.
    private static func checkLength(_ settings: PlatformSettings, _ section: SectionReader) {
        let most = 2 * min(settings.version.phoneBytes, settings.mediaSIMLength)
        guard settings.phone.digits.count > most, let node = section.node("phone") else { return }
        section.mistake(
            at: node, "\(section.path).phone has more than \(most) digits",
            hint: "with version: 2019 and without simBytes it may have 20")
    }

    /// Logical channels to ids; all channels from 1 on where nothing is said.
    private static func channels(_ section: SectionReader, _ known: [Int]) -> [PlatformSettings.Channel] {
        let map = section.numberedIntegers("channels", 0...999)
        guard !map.isEmpty else {
            return known.prefix(PlatformSettings.maximumChannels).enumerated().map {
                .init(logical: UInt8($0 + 1), id: $1)
            }
        }
        if let node = section.node("channels") {
            for (logical, id) in map.sorted(by: { $0.key < $1.key }) {
                if !(1...255).contains(logical) {
                    section.mistake(at: node, "\(section.path).channels: a logical channel is 1 to 255, not \(logical)")
                } else if !known.contains(id) {
                    section.mistake(at: node, "\(section.path).channels: there is no channel with the id \(id)")
                }
            }
        }
        return map.sorted { $0.key < $1.key }.prefix(PlatformSettings.maximumChannels).compactMap { logical, id in
            UInt8(exactly: logical).map { .init(logical: $0, id: id) }
        }
    }

    private static func liveTarget(_ section: SectionReader) -> String? {
        guard let text = section.text("liveTarget"), let node = section.node("liveTarget") else { return nil }
        guard ["rtmp://", "rtmps://", "http://", "https://"].contains(where: text.hasPrefix) else {
            // The address may hold a key, so it is not repeated.
            section.mistake(
                at: node, "\(section.path).liveTarget is no address of a media service",
                hint: "start it with rtmp://, rtmps://, http:// or https://")
            return nil
        }
        return text
    }

    private static func identity(_ section: SectionReader) -> PlatformSettings.Identity {
        var identity = PlatformSettings.Identity()
        identity.province = UInt16(section.integer("province", 0...65535) ?? 0)
        identity.city = UInt16(section.integer("city", 0...65535) ?? 0)
        identity.manufacturer = section.text("manufacturer", maximumLength: 11) ?? identity.manufacturer
        identity.model = section.text("model", maximumLength: 30) ?? identity.model
        identity.terminalID = section.text("id", maximumLength: 30) ?? ""
        identity.plateColour = UInt8(section.integer("plateColour", 0...255) ?? 0)
        identity.plate = section.text("plate", maximumLength: 64) ?? ""
        if GBK.encode(identity.plate) == nil, let node = section.node("plate") {
            section.mistake(at: node, "\(section.path).plate has characters that GBK lacks")
        }
        identity.imei = section.text("imei", maximumLength: 15) ?? ""
        identity.iccid = section.text("iccid", maximumLength: 20) ?? ""
        return identity
    }

    private static func gpsd(_ section: SectionReader) -> PlatformSettings.Server? {
        guard let text = section.text("gpsd"), let node = section.node("gpsd") else { return nil }
        if let server = server(text) { return server }
        section.mistake(
            at: node, "\(section.path).gpsd is no host with a port", hint: "write 127.0.0.1:2947, gpsd's usual one")
        return nil
    }

    private static func position(_ section: SectionReader) -> PlatformSettings.Position? {
        let latitude = section.number("latitude", -90...90)
        let longitude = section.number("longitude", -180...180)
        let altitude = section.number("altitude", 0...65535) ?? 0
        guard let latitude, let longitude else {
            if latitude != nil || longitude != nil {
                section.require("latitude", isThere: latitude != nil, "degrees, south negative")
                section.require("longitude", isThere: longitude != nil, "degrees, west negative")
            }
            return nil
        }
        return .init(latitude: latitude, longitude: longitude, altitude: altitude)
    }
}
