import PlatformProtocol

/// A terminal's settings as a platform sees and changes them: the configured ones under what the platform has set.
package struct PlatformParameters: Sendable, Hashable {
    /// What a platform may set, with the lengths that its values may have.
    private static let settable: [JT808ParameterID: ClosedRange<Int>] = [
        .heartbeat: 4...4, .tcpAnswerTimeout: 4...4, .tcpResends: 4...4, .mainServer: 0...255, .backupServer: 0...255,
        .tcpPort: 4...4, .udpPort: 4...4, .locationStrategy: 4...4, .locationInterval: 4...4, .audioVideo: 21...21,
        .channelVideo: 1...255, .alarmRecording: 3...3, .alarmMask: 4...4, .wakeSchedule: 20...20, .province: 2...2,
        .city: 2...2, .plate: 0...64, .plateColour: 1...1,
    ]
    /// What means nothing here, and is kept for platforms that set it and ask for it: answers over UDP, intervals of
    /// vehicles, vehicles' limits, seats.
    private static let kept: [UInt32: Int] = [
        0x0004: 4, 0x0005: 4, 0x0027: 4, 0x0028: 4, 0x0055: 4, 0x0056: 4, 0x0057: 4, 0x0058: 4, 0x0059: 4, 0x005A: 4,
        0x005B: 2, 0x005C: 2, 0x005D: 2, 0x005E: 2, 0x007B: 2,
    ]

    private let settings: PlatformSettings
    package private(set) var overrides: [UInt32: [UInt8]]

    package init(_ settings: PlatformSettings, overrides: [UInt32: [UInt8]]) {
        self.settings = settings
        self.overrides = overrides.filter { id, value in Self.lengths(id)?.contains(value.count) == true }
    }

    private static func lengths(_ id: UInt32) -> ClosedRange<Int>? {
        kept[id].map { $0...$0 } ?? JT808ParameterID(rawValue: id).flatMap { settable[$0] }
    }

    private func number(_ id: JT808ParameterID) -> Int? {
        overrides[id.rawValue].flatMap { JT808Parameter(id: id.rawValue, value: $0).number }.map(Int.init)
    }

    private func text(_ id: JT808ParameterID) -> String? { overrides[id.rawValue].map { GBK.decode($0) } }

    /// Seconds. Bounded, so that no value a platform sends makes the terminal hammer it, or fall silent for ever.
    package var heartbeat: Int { min(max(number(.heartbeat) ?? settings.heartbeat, 1), 3600) }
    package var answerTimeout: Int { min(max(number(.tcpAnswerTimeout) ?? settings.answerTimeout, 1), 600) }
    package var resends: Int { min(max(number(.tcpResends) ?? settings.resends, 0), 10) }
    package var locationInterval: Int { min(max(number(.locationInterval) ?? settings.locationInterval, 1), 86400) }
    package var alarmMask: UInt32 { number(.alarmMask).map { UInt32(truncatingIfNeeded: $0) } ?? 0 }

    /// What the platform wants a channel's main stream to have at most, bits a second: the live bit rate of 0x0077, or
    /// else of 0x0075. Nil where it has not said.
    package func bitrateLimit(_ logical: UInt8) -> Int? {
        let ofAll = body(.audioVideo, as: JT808AudioVideoParameter.self)?.settings
        let ofOne = body(.channelVideo, as: JT808ChannelVideo.self)?.entries.last { $0.logical == logical }?.settings
        guard let rate = (ofOne ?? ofAll)?.live.bitrate, rate > 0 else { return nil }
        return max(Int(rate) * 1000, LossGovernor.floor)
    }

    private func body<Body: JT808Body>(_ id: JT808ParameterID, as type: Body.Type) -> Body? {
        overrides[id.rawValue].flatMap { Self.body($0, settings.version) }
    }

    private static func body<Body: JT808Body>(_ value: [UInt8], _ version: JT808Version) -> Body? {
        var reader = JT808Reader(value, version: version)
        do throws(JT808Error) { return try Body(&reader) } catch { return nil }
    }

    /// Main server first; several may stand in one text, with ports of their own.
    package var servers: [PlatformSettings.Server] {
        let port = number(.tcpPort) ?? settings.servers.first?.port ?? 0
        let set = [text(.mainServer), text(.backupServer)].compactMap { $0 }.filter { !$0.isEmpty }
        guard !set.isEmpty else {
            var servers = settings.servers
            if let port = number(.tcpPort), port > 0, port < 65536, !servers.isEmpty { servers[0].port = port }
            return servers
        }
        let parsed = set.joined(separator: ";").split(separator: ";").compactMap { Self.server($0, port) }
        return parsed.isEmpty ? settings.servers : parsed
    }

    private static func server(_ text: Substring, _ fallback: Int) -> PlatformSettings.Server? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        let port = parts.count == 2 ? Int(parts[1]) : fallback
        guard let port, (1...65535).contains(port), parts.count <= 2, let host = parts.first, !host.isEmpty,
            host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        return .init(host: String(host), port: port)
    }

    package var identity: PlatformSettings.Identity {
        var identity = settings.identity
        if let province = number(.province) { identity.province = UInt16(clamping: province) }
        if let city = number(.city) { identity.city = UInt16(clamping: city) }
        if let plate = text(.plate) { identity.plate = plate }
        if let colour = number(.plateColour) { identity.plateColour = UInt8(clamping: colour) }
        return identity
    }

    // MARK: From the platform

    /// Applies what is known.
    /// - Returns: whether anything was.
    package mutating func set(_ parameters: [JT808Parameter]) -> JT808Result {
        var isKnown = parameters.isEmpty
        for parameter in parameters {
            guard let lengths = Self.lengths(parameter.id) else { continue }
            guard lengths.contains(parameter.value.count) else { return .badMessage }
            if parameter.known == .channelVideo {
                let table: JT808ChannelVideo? = Self.body(parameter.value, settings.version)
                guard table != nil else { return .badMessage }
            }
            isKnown = true
            overrides[parameter.id] = parameter.value
        }
        return isKnown ? .done : .unsupported
    }

    /// - Parameter ids: nil for all there are.
    package func list(_ ids: [UInt32]?, view: TerminalView) -> [JT808Parameter] {
        let all = all(view)
        guard let ids else { return all }
        return ids.flatMap { id in all.filter { $0.id == id } }
    }

    private func all(_ view: TerminalView) -> [JT808Parameter] {
        let servers = servers
        let identity = identity
        var list = [
            JT808Parameter(.heartbeat, number: UInt32(heartbeat)),
            JT808Parameter(.tcpAnswerTimeout, number: UInt32(answerTimeout)),
            JT808Parameter(.tcpResends, number: UInt32(resends)),
            JT808Parameter(.mainServer, text: Self.text(servers.first, settings.version)),
            JT808Parameter(.backupServer, text: Self.text(servers.dropFirst().first, settings.version)),
            JT808Parameter(.tcpPort, number: UInt32(servers.first?.port ?? 0)),
            JT808Parameter(.udpPort, number: UInt32(clamping: number(.udpPort) ?? 0)),
            JT808Parameter(.locationStrategy, number: UInt32(clamping: number(.locationStrategy) ?? 0)),
            JT808Parameter(.locationInterval, number: UInt32(locationInterval)),
        ]
        list += PlatformVideoParameters(settings: settings, view: view, limit: bitrateLimit).list
        list += [
            JT808Parameter(.alarmMask, number: alarmMask),
            JT808Parameter(id: JT808ParameterID.province.rawValue, value: Self.word(identity.province)),
            JT808Parameter(id: JT808ParameterID.city.rawValue, value: Self.word(identity.city)),
            JT808Parameter(.plate, text: identity.plate),
            JT808Parameter(id: JT808ParameterID.plateColour.rawValue, value: [identity.plateColour]),
        ]
        let listed = Set(list.map(\.id))
        let others = overrides.filter { !listed.contains($0.key) }.sorted { $0.key < $1.key }
        return list + others.map { JT808Parameter(id: $0.key, value: $0.value) }
    }

    private static func word(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

    private static func text(_ server: PlatformSettings.Server?, _ version: JT808Version) -> String {
        guard let server else { return "" }
        return version == .v2019 ? "\(server.host):\(server.port)" : server.host
    }
}
