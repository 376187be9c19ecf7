import Access
import Streaming

/// The commands that tell what the device is and would do.
package struct DeviceCommands: Sendable {
    private let device: any DeviceView
    private let visitors: VisitorTable
    private let handOffs: HandOffDesk?
    private let onCall: @Sendable (InnerCommand) -> Void

    /// What viewers say about a call.
    package static let callCommands: [InnerCommandName] = [
        .callAnswer, .callHangUp, .callReject, .callCancel, .callBusy, .callTimeout,
    ]

    /// - Parameters:
    ///   - handOffs: where those go for whom there is no place; nil for nowhere.
    ///   - onCall: told of each command about a call; must not block.
    package init(
        _ device: any DeviceView, visitors: VisitorTable, handOffs: HandOffDesk? = nil,
        onCall: @escaping @Sendable (InnerCommand) -> Void = { _ in }
    ) {
        self.device = device
        self.visitors = visitors
        self.handOffs = handOffs
        self.onCall = onCall
    }

    package func add(to table: inout CommandTable) {
        table.addQuick(.deviceState, needsChannel: false) { state($0) }
        table.addQuick(.channelList, needsChannel: false) { channelList($0.grant) }
        for name in Self.callCommands {
            table.addQuick(name) { command in
                onCall(command)
                return .accepted
            }
        }
    }

    // MARK: get_device_st

    /// Whether a stream or a talk would be accepted now.
    private func state(_ command: InnerCommand) -> CommandReply {
        let (isAdmitted, connected) = visitors.prospect(of: command.viewer, channel: Self.watchedChannel(command))
        let status = status(command, isAdmitted: isAdmitted)
        if status == "405", let url = handOffURL(command) {
            return CommandReply([
                ["status": .text(status), "appConnectNum": .quoted(connected), "handOff": .text(url)]
            ])
        }
        return CommandReply([["status": .text(status), "appConnectNum": .quoted(connected)]])
    }

    /// A download is no stream of its channel.
    private static func watchedChannel(_ command: InnerCommand) -> Int? {
        let type = command.query["type"]?.lowercased() ?? ""
        return type.hasPrefix("live") || type.hasPrefix("playback") ? command.channel : nil
    }

    /// Where the stream is to be had once somebody has asked for it in earnest.
    private func handOffURL(_ command: InnerCommand) -> String? {
        guard command.query["type"]?.lowercased() == "live", let quality = LiveRequest.quality(command.query["quality"])
        else { return nil }
        return handOffs?.url(of: .init(channel: command.channel, name: quality.rawValue))
    }

    private func status(_ command: InnerCommand, isAdmitted: Bool) -> String {
        guard let channel = device.channels.first(where: { $0.id == command.channel }),
            let type = command.query["type"]?.lowercased()
        else { return "404" }
        let quality = LiveRequest.quality(command.query["quality"])
        switch type {
        case "voice":
            // The quality that some viewers send along means nothing here.
            guard let isTalking = device.isTalking else { return "404" }
            return isTalking ? "1" : "0"
        case "live", "live-audio", "live-mjpg":
            guard let quality, channel.qualities.contains(quality) || type == "live-audio" else { return "404" }
            guard type == "live" || (type == "live-audio" ? channel.hasAudio : channel.hasVideo) else { return "404" }
            return !isAdmitted ? "405" : device.isStandby ? "1" : "0"
        case "playback", "playback-audio", "download":
            guard quality != nil, device.hasRecordings else { return "404" }
            return isAdmitted ? "0" : "405"
        default: return "404"
        }
    }

    // MARK: get_nvr_list

    /// Of a plain camera it has one entry. Who may have one channel only is told of no other.
    private func channelList(_ grant: Grant) -> CommandReply {
        CommandReply(
            .list(
                device.channels.filter { grant.covers($0.id) }.map {
                    [
                        "DeviceName": .text($0.name), "Channel": .quoted($0.id),
                        "Online": .text(device.isOnline($0.id) ? "1" : "0"),
                    ]
                }))
    }
}
