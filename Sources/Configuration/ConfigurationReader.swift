import Access
import Codecs
import Devices
import Imaging
import Media
import Motion
import PeerToPeer
import Recording
import Streaming

/// Makes an `AgentConfiguration` of a YAML text. The defaults of all keys are here and nowhere else.
package enum ConfigurationReader {
    package static let maximumChannels = 32

    /// Throws every mistake in the text, in its order.
    package static func read(_ text: [UInt8]) throws(ConfigurationMistakes) -> AgentConfiguration {
        let root: YAMLNode?
        do {
            root = try YAMLParser.parse(text)
        } catch {
            throw ConfigurationMistakes([error])
        }
        let notes = SectionReader.Notes()
        let configuration = agent(root, notes)
        guard notes.mistakes.isEmpty else {
            throw ConfigurationMistakes(notes.mistakes.sorted { $0.position < $1.position })
        }
        return configuration
    }

    /// What an empty text means.
    package static var defaults: AgentConfiguration { agent(nil, SectionReader.Notes()) }

    /// The paths of all keys there are, such as "channels[].main.bitrate".
    package static var knownKeys: Set<String> {
        let notes = SectionReader.Notes()
        notes.knownKeys = []
        _ = agent(nil, notes)
        return notes.knownKeys ?? []
    }

    private static func agent(_ root: YAMLNode?, _ notes: SectionReader.Notes) -> AgentConfiguration {
        let section = SectionReader(root, path: "", keyPath: "", position: SourcePosition(), notes: notes)
        let channels = section.sections("channels", maximum: maximumChannels) { channel($0, index: $1) }
        checkTogether(channels, notes)
        // The ticket at the broker needs the key that peers have.
        var hasTickets = false
        let configuration = AgentConfiguration(
            channels: channels.map(\.configuration), heads: heads(channels), server: section.section("server", server),
            access: section.section("access") { AccessConfiguration(open: $0.bool("open")) },
            push: section.section("push", push),
            recording: section.section("recording") { recording($0, channels) },
            signalling: SignallingConfiguration(
                hook: section.section("signalling") { $0.section("hook", hook) }),
            peers: section.section("peers") {
                let peers = PeerSettings($0)
                hasTickets = peers.ticketKey != nil
                return peers
            },
            rendezvous: section.section("rendezvous") {
                RendezvousSettings($0, hasTickets: hasTickets)
            },
            handOff: section.section("handOff", handOff),
            talk: section.section("talk", TalkConfiguration.init),
            platforms: PlatformReader.platforms(section, channels: channels.map(\.configuration.settings.id)),
            controlSocket: section.section("control") {
                // The limit of a Unix socket's name: sockaddr_un's sun_path with its closing zero.
                $0.absolutePath("socket", maximumLength: 107)
            } ?? AgentConfiguration.defaultSocket,
            stateFolder: section.section("state") { $0.absolutePath("folder") }
                ?? AgentConfiguration.defaultStateFolder,
            logLevel: section.section("log") { $0.choice("level", LogLevel.allCases.map { ($0.rawValue, $0) }) }
                ?? .info)
        section.finish()
        return configuration
    }

    // MARK: Channels

    private typealias Placed = (
        configuration: ChannelConfiguration, recording: ChannelRecording, head: PTZSettings?, position: SourcePosition
    )

    private static func channel(_ section: SectionReader, index: Int) -> Placed {
        let id = section.integer("id", 0...999) ?? index
        let name = section.text("name", maximumLength: 64) ?? "Channel \(id)"
        let main = section.section("main") {
            stream($0, size: PictureSize(width: 1280, height: 720), frameRate: 25, bitrate: 2_000_000)
        }
        let sub = section.sectionOrFalse("sub") {
            stream($0, size: PictureSize(width: 640, height: 360), frameRate: main.frameRate, bitrate: 500_000)
        }
        let (camera, isAutoCamera) = section.section("video") { video($0, main: main) }
        let sound = section.section("audio", audio)
        for (name, stream) in [("main", main), ("sub", sub ?? main)] where stream.frameRate > camera.frameRate {
            section.notes.add(
                ConfigurationMistake(
                    at: section.position,
                    "\(section.path).\(name).frameRate is above \(section.path).video.frameRate",
                    hint: "leave out video.frameRate, or lower the stream's"))
            break
        }
        if camera.source == .none, sound.microphone.source == .none {
            section.notes.add(
                ConfigurationMistake(
                    at: section.position, "\(section.path) has neither pictures nor sound",
                    hint: "give video or audio a source"))
        }
        var settings = ChannelSettings(
            id: id, name: name, camera: camera, microphone: sound.microphone, main: main, sub: sub,
            audio: sound.encoder, overlay: section.sectionOrFalse("overlay", overlay))
        settings.linger = section.number("linger", 0...3600) ?? 5
        let recording = section.section("recording") { ChannelRecording($0, channel: id, hasSub: sub != nil) }
        return (
            ChannelConfiguration(
                settings: settings, usesSyntheticWithoutCamera: isAutoCamera,
                usesSyntheticWithoutMicrophone: sound.isAuto), recording, section.section("ptz", ChannelPTZ.read),
            section.position
        )
    }

    /// What must hold between channels.
    private static func checkTogether(_ channels: [Placed], _ notes: SectionReader.Notes) {
        for (index, channel) in channels.enumerated() {
            let settings = channel.configuration.settings
            for other in channels[..<index] {
                let earlier = other.configuration.settings
                if earlier.id == settings.id {
                    notes.add(
                        ConfigurationMistake(
                            at: channel.position,
                            "channels[\(index)].id is \(settings.id), as in line \(other.position.line)",
                            hint: "give each channel an id of its own"))
                }
                if let line = channel.head?.serialLine, line == other.head?.serialLine {
                    notes.add(
                        ConfigurationMistake(
                            at: channel.position,
                            "channels[\(index)].ptz.serial.device is \(line), as in line \(other.position.line)",
                            hint: "a serial line serves one head"))
                }
                if case .v4l2(let device) = settings.camera.source, device != "auto",
                    settings.camera.source == earlier.camera.source
                {
                    notes.add(
                        ConfigurationMistake(
                            at: channel.position,
                            "channels[\(index)].video.device is \(device), as in line \(other.position.line)",
                            hint: "a camera serves one channel; its sub stream is a second picture of it"))
                }
            }
        }
    }

    private static func video(
        _ section: SectionReader, main: VideoEncoderSettings
    ) -> (settings: CameraSettings, isAuto: Bool) {
        enum Kind { case auto, v4l2, synthetic, file, none }
        let kind =
            section.choice(
                "source",
                [
                    ("auto", Kind.auto), ("v4l2", .v4l2), ("synthetic", .synthetic), ("file", .file), ("none", .none),
                ]) ?? .auto
        let device = section.text("device")
        let file = section.absolutePath("file")
        section.refuse("device", unless: kind == .v4l2, "v4l2")
        section.refuse("file", unless: kind == .file, "file")
        let source: CameraSettings.Source
        switch kind {
        case .auto: source = .v4l2(device: "auto")
        case .v4l2: source = .v4l2(device: device ?? "auto")
        case .synthetic: source = .synthetic
        case .file:
            section.require("file", isThere: file != nil, "the path of a YUV4MPEG2 file")
            source = .file(path: file ?? "")
        case .none: source = .none
        }
        var settings = CameraSettings(
            source: source, size: section.size("size") ?? main.size,
            frameRate: section.number("frameRate", 0.5...240) ?? main.frameRate)
        section.section("controls") { controls in
            let any = Int(Int32.min)...Int(Int32.max)
            settings.brightness = controls.integer("brightness", any)
            settings.contrast = controls.integer("contrast", any)
            settings.saturation = controls.integer("saturation", any)
            settings.horizontalFlip = controls.bool("horizontalFlip")
            settings.verticalFlip = controls.bool("verticalFlip")
            settings.powerLineFrequency = controls.choice(
                "powerLineFrequency",
                [
                    ("disabled", CameraSettings.PowerLineFrequency.disabled), ("50", .hz50), ("60", .hz60),
                    ("auto", .auto),
                ])
            settings.otherControls = controls.numberedIntegers("other", any)
        }
        return (settings, kind == .auto)
    }

    private static func audio(
        _ section: SectionReader
    ) -> (microphone: MicrophoneSettings, encoder: AudioEncoderSettings, isAuto: Bool) {
        enum Kind { case auto, alsa, synthetic, file, none }
        let kind =
            section.choice(
                "source",
                [
                    ("auto", Kind.auto), ("alsa", .alsa), ("synthetic", .synthetic), ("file", .file), ("none", .none),
                ]) ?? .auto
        let device = section.text("device")
        let file = section.absolutePath("file")
        section.refuse("device", unless: kind == .alsa, "alsa")
        section.refuse("file", unless: kind == .file, "file")
        let source: MicrophoneSettings.Source
        switch kind {
        case .auto: source = .alsa(device: "auto")
        case .alsa: source = .alsa(device: device ?? "auto")
        case .synthetic: source = .synthetic
        case .file:
            section.require("file", isThere: file != nil, "the path of a 16-bit WAV file")
            source = .file(path: file ?? "")
        case .none: source = .none
        }
        let rates = [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000]
        let rate = section.choice("rate", rates.map { (String($0), $0) }) ?? 16000
        let channels = section.integer("channels", 1...2) ?? 1
        // AAC has at most 6144 bits for a frame of 1024 samples of each channel.
        let bitrates = 8000 * channels...min(6 * rate, 160_000) * channels
        let bitrate = section.integer("bitrate", bitrates) ?? 32000 * channels
        var microphone = MicrophoneSettings(source: source, rate: rate, channels: channels)
        microphone.syntheticDrift = section.number("syntheticDrift", -1000...1000) ?? 0
        return (
            microphone, AudioEncoderSettings(rate: rate, channels: channels, bitrate: bitrate), kind == .auto
        )
    }

    private static func stream(
        _ section: SectionReader, size: PictureSize, frameRate: Double, bitrate: Int
    ) -> VideoEncoderSettings {
        func words(_ list: [String]) -> [(word: String, value: String)] { list.map { ($0, $0) } }
        let defaults = VideoEncoderSettings(size: size, frameRate: frameRate, rateControl: .bitrate(bitrate))
        let givenBitrate = section.integer("bitrate", 16_000...200_000_000)
        let quality = section.number("quality", 0...51)
        if let node = section.node("quality"), section.node("bitrate") != nil {
            section.mistake(
                at: node, "\(section.path) has both bitrate and quality", hint: "remove one of the two")
        }
        return VideoEncoderSettings(
            size: section.size("size") ?? size, frameRate: section.number("frameRate", 0.5...240) ?? frameRate,
            preset: section.choice("preset", words(VideoEncoderSettings.presets)) ?? defaults.preset,
            tune: section.choices("tune", VideoEncoderSettings.tunes) ?? defaults.tune,
            profile: section.choice("profile", words(VideoEncoderSettings.profiles)) ?? defaults.profile,
            rateControl: quality.map { .quality($0) } ?? .bitrate(givenBitrate ?? bitrate),
            keyFrameInterval: section.number("keyFrameInterval", 0.1...60) ?? defaults.keyFrameInterval,
            threads: section.integer("threads", 0...64) ?? defaults.threads)
    }

    private static func overlay(_ section: SectionReader) -> OverlaySettings {
        let defaults = OverlaySettings()
        return OverlaySettings(
            text: section.text("text", maximumLength: 256) ?? defaults.text,
            corner: section.choice("corner", OverlaySettings.Corner.allCases.map { ($0.rawValue, $0) })
                ?? defaults.corner,
            height: section.number("height", 0.02...0.2) ?? defaults.height, font: section.absolutePath("font"))
    }

    // MARK: The rest

    private static func heads(_ channels: [Placed]) -> [Int: PTZSettings] {
        var heads: [Int: PTZSettings] = [:]
        for channel in channels { heads[channel.configuration.settings.id] = channel.head }
        return heads
    }

    private static func server(_ section: SectionReader) -> ServerConfiguration {
        let address = section.text("address", maximumLength: 255) ?? "127.0.0.1"
        let port = section.integer("port", 0...65535) ?? 8080
        let viewerLimit = section.integer("viewerLimit", 1...10_000) ?? 64
        let channelViewerLimit = section.integer("channelViewerLimit", 1...10_000)
        let allowedOrigins = section.texts("allowedOrigins", maximum: 100) ?? []
        let queue = section.section("viewerQueue") {
            (bytes: $0.integer("bytes", 65_536...268_435_456), seconds: $0.number("seconds", 0.2...60))
        }
        return ServerConfiguration(
            address: address, port: port, viewerLimit: viewerLimit, channelViewerLimit: channelViewerLimit,
            allowedOrigins: allowedOrigins,
            viewerQueueBytes: queue.bytes ?? Subscription.Limits.viewer.bytes,
            viewerQueueSeconds: queue.seconds ?? Subscription.Limits.viewer.span.seconds,
            sendBufferBytes: section.integer("sendBuffer", 4096...16_777_216) ?? 262_144,
            stallSeconds: section.integer("stallSeconds", 1...3600) ?? 15, tls: section.section("tls", tls))
    }

    private static func tls(_ section: SectionReader) -> ServerTLS {
        enum Mode { case off, selfSigned, files }
        let mode = section.choice("mode", [("off", Mode.off), ("selfSigned", .selfSigned), ("files", .files)]) ?? .off
        let certificate = section.absolutePath("certificate")
        let key = section.absolutePath("key")
        for (name, path) in [("certificate", certificate), ("key", key)] {
            if mode == .files {
                section.require(name, isThere: path != nil, "the path of a PEM file")
            } else if let node = section.node(name) {
                section.mistake(
                    at: node, "\(section.path).\(name) is only for mode: files",
                    hint: "write mode: files, or remove it")
            }
        }
        return switch mode {
        case .off: .off
        case .selfSigned: .selfSigned
        case .files: .files(certificate: certificate ?? "", key: key ?? "")
        }
    }

    private static func recording(_ section: SectionReader, _ channels: [Placed]) -> RecordingConfiguration {
        let length = section.number("segmentSeconds", 1...3600) ?? 300
        let limits = channels.map { ($0.configuration.settings.id, $0.recording.limits) }
        return RecordingConfiguration(
            folder: section.absolutePath("folder") ?? AgentConfiguration.defaultRecordingFolder,
            requiresMount: section.bool("requiresMount") ?? false,
            freePerMille: Int((section.number("freePercent", 1...90) ?? 5) * 10),
            plans: channels.flatMap { channel in
                channel.recording.plans.map { plan in
                    var plan = plan
                    plan.segmentLength = .milliseconds(Int64(length * 1000))
                    return plan
                }
            }, limits: Dictionary(limits) { first, _ in first }.filter { $1 != RetentionLimits() })
    }

    private static func handOff(_ section: SectionReader) -> HandOffConfiguration? {
        let target = section.text("target")
        let viewerURL = section.text("viewerURL")
        let linger = section.number("lingerSeconds", 1...3600) ?? 30
        let patience = section.number("patienceSeconds", 1...60) ?? 8
        if target != nil { section.require("viewerURL", isThere: viewerURL != nil, "where viewers find the stream") }
        if viewerURL != nil { section.require("target", isThere: target != nil, "the service that it is pushed to") }
        guard let target, let viewerURL else { return nil }
        if let node = section.node("viewerURL"), !viewerURL.hasPrefix("http://"), !viewerURL.hasPrefix("https://") {
            section.mistake(at: node, "\(section.path).viewerURL must begin with http:// or https://")
        }
        return HandOffConfiguration(
            target: Secret(target), viewerURL: viewerURL, lingerSeconds: linger, patienceSeconds: patience)
    }

    private static func hook(_ section: SectionReader) -> SignallingConfiguration.Hook? {
        let command = section.texts("command", maximum: 64) ?? []
        let socket = section.absolutePath("socket", maximumLength: 107)
        let timeout = section.number("timeoutSeconds", 0.1...10) ?? 2
        if let node = section.node("command"), let program = command.first, !program.hasPrefix("/") {
            section.mistake(
                at: node, "\(section.path).command must begin with a whole path, not \"\(program)\"",
                hint: "write the program's path from \"/\" on; there is no shell that would look for it")
        }
        if let node = section.node("socket"), socket != nil, !command.isEmpty {
            section.mistake(
                at: node, "\(section.path) has both command and socket", hint: "remove one of the two")
        }
        if let program = command.first {
            return .init(
                target: .program(path: program, arguments: Array(command.dropFirst())), timeoutSeconds: timeout)
        }
        return socket.map { .init(target: .socket(path: $0), timeoutSeconds: timeout) }
    }

    private static func push(_ section: SectionReader) -> PushConfiguration {
        var target = section.text("defaultTarget")
        if let text = target, !["rtmp://", "rtmps://", "http://", "https://"].contains(where: text.hasPrefix),
            let node = section.node("defaultTarget")
        {
            // The address may hold a key, so it is not repeated.
            section.mistake(
                at: node, "\(section.path).defaultTarget is no address of a media service",
                hint: "start it with rtmp://, rtmps://, http:// or https://")
            target = nil
        }
        let adaptBitrate = section.bool("adaptBitrate") ?? false
        let limit = section.integer("limit", 1...1000) ?? 32
        let caFile = section.absolutePath("caFile")
        let chunkSize = section.integer("chunkSize", 128...16_777_215) ?? 65536
        let queryInTcURL = section.bool("queryInTcURL") ?? false
        func seconds(_ section: SectionReader, _ key: String, _ fallback: Double) -> Double {
            section.number(key, 0.1...3600) ?? fallback
        }
        let timeouts = section.section("timeouts") {
            (
                connect: seconds($0, "connect", 5), publish: seconds($0, "publish", 10),
                noData: seconds($0, "noData", 10), stall: seconds($0, "stall", 15)
            )
        }
        return PushConfiguration(
            defaultTarget: target.map { Secret($0) }, adaptBitrate: adaptBitrate, limit: limit, caFile: caFile,
            chunkSize: chunkSize,
            queryInTcURL: queryInTcURL, connectSeconds: timeouts.connect, publishSeconds: timeouts.publish,
            noDataSeconds: timeouts.noData, stallSeconds: timeouts.stall)
    }
}
