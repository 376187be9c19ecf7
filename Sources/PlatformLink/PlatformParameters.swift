import PlatformProtocol

/// A terminal's settings as a platform sees and changes them: the configured ones under what the platform has set.
package struct PlatformParameters: Sendable, Hashable {
    /// What a platform may set, with the lengths that its values may have.
    private static let settable: [JT808ParameterID: ClosedRange<Int>] = [
        .heartbeat: 4...4, .tcpAnswerTimeout: 4...4, .tcpResends: 4...4, .mainServer: 0...255, .backupServer: 0...255,
        .tcpPort: 4...4, .udpPort: 4...4, .locationStrategy: 4...4, .locationInterval: 4...4, .alarmMask: 4...4,
        .province: 2...2, .city: 2...2, .plate: 0...64, .plateColour: 1...1,
    ]

    private let settings: PlatformSettings
    package private(set) var overrides: [UInt32: [UInt8]]

    package init(_ settings: PlatformSettings, overrides: [UInt32: [UInt8]]) {
        self.settings = settings
        self.overrides = overrides.filter { id, value in
            JT808ParameterID(rawValue: id).flatMap { Self.settable[$0] }?.contains(value.count) == true
        }
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
            guard let id = parameter.known, let lengths = Self.settable[id] else { continue }
            guard lengths.contains(parameter.value.count) else { return .badMessage }
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
        list += PlatformVideoParameters(settings: settings, view: view).list
        list += [
            JT808Parameter(.alarmMask, number: alarmMask),
            JT808Parameter(id: JT808ParameterID.province.rawValue, value: Self.word(identity.province)),
            JT808Parameter(id: JT808ParameterID.city.rawValue, value: Self.word(identity.city)),
            JT808Parameter(.plate, text: identity.plate),
            JT808Parameter(id: JT808ParameterID.plateColour.rawValue, value: [identity.plateColour]),
        ]
        return list
    }

    private static func word(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

    private static func text(_ server: PlatformSettings.Server?, _ version: JT808Version) -> String {
        guard let server else { return "" }
        return version == .v2019 ? "\(server.host):\(server.port)" : server.host
    }
}

/// Parameters 0x0075 to 0x0077, out of how the channels are configured. They can be asked for and not set: what a stream
/// is like is the configuration's, and every viewer's.
struct PlatformVideoParameters {
    let settings: PlatformSettings
    let view: TerminalView

    private var channels: [(logical: UInt8, physical: UInt8, channel: TerminalView.Channel)] {
        settings.channels.enumerated().compactMap { index, channel in
            view.channels[channel.id].map { (channel.logical, UInt8(clamping: index + 1), $0) }
        }
    }

    var list: [JT808Parameter] {
        guard let first = channels.first else { return [] }
        return [
            parameter(
                .audioVideo,
                JT808AudioVideoParameter(settings: Self.settings(first.channel), audioOutput: view.hasSpeaker ? 1 : 0)),
            parameter(
                .channels,
                JT808ChannelTable(
                    channels.sorted { Self.type($0.channel) < Self.type($1.channel) }.map { entry in
                        .init(
                            physical: entry.physical, logical: entry.logical, type: Self.type(entry.channel),
                            hasPTZ: entry.channel.hasPTZ ? 1 : 0)
                    })),
            // As many as fit a parameter.
            parameter(
                .channelVideo,
                JT808ChannelVideo(
                    channels.prefix(12).map { .init(logical: $0.logical, settings: Self.settings($0.channel)) })),
        ]
    }

    private func parameter(_ id: JT808ParameterID, _ body: some JT808Body) -> JT808Parameter {
        var writer = JT808Writer(version: settings.version)
        body.write(to: &writer)
        return JT808Parameter(id: id.rawValue, value: writer.bytes)
    }

    private static func type(_ channel: TerminalView.Channel) -> UInt8 {
        channel.hasVideo ? (channel.hasAudio ? 0 : 2) : 1
    }

    /// What is stored is what is sent.
    private static func settings(_ channel: TerminalView.Channel) -> JT808VideoSettings {
        let stream = channel.main
        let interval = (stream.keyFrameInterval * stream.frameRate).rounded()
        let encoding = JT808Encoding(
            mode: 2, resolution: resolution(stream), keyFrameInterval: UInt16(min(max(interval, 1), 1000)),
            frameRate: UInt8(min(max(stream.frameRate.rounded(), 1), 120)),
            bitrate: UInt32(clamping: stream.bitrate / 1000))
        // Date and time are drawn.
        return JT808VideoSettings(live: encoding, stored: encoding, osd: 1)
    }

    private static func resolution(_ stream: TerminalView.Stream) -> UInt8 {
        switch (stream.size.width, stream.size.height) {
        case (176, 144): 0
        case (352, 288): 1
        case (704, 288): 2
        case (704, 576): 3
        case (960, 576): 4
        case (1280, 720): 5
        case (1920, 1080): 6
        default: 100
        }
    }
}
