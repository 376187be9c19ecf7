import Imaging

/// User commands in JSON, `{"topic":…,"data":{…},"message_id":…}`: all but those of heads that turn.
package struct TopicCommands: Sendable {
    private let device: any DeviceView
    private let visitors: VisitorTable

    package init(_ device: any DeviceView, visitors: VisitorTable) {
        self.device = device
        self.visitors = visitors
    }

    package func add(to commands: inout UserCommands) {
        commands.add { await answer($0) }
    }

    private func answer(_ command: UserCommand) async -> CommandReply? {
        guard let json = command.json else { return nil }
        let data = json["data"]
        switch command.topic {
        case .state:
            var more: [JSONValue.Member] = [
                .init(key: "status", value: .text(device.isStandby ? "standby" : "working")),
                .init(
                    key: "user_num", value: .quoted(visitors.prospect(of: ViewerIdentity(command.visitor)).connected)),
            ]
            if let strength = device.signalStrength {
                more.append(.init(key: "signal_strength", value: .quoted(strength)))
            }
            return TopicReply.make(json, more: more)
        case .version: return TopicReply.make(json, more: [.init(key: "info", value: .text(device.version))])
        case .privacy:
            guard let isStandby = Self.isStandby(data?["status"]?.word) else {
                return TopicReply.make(json, isDone: false)
            }
            return TopicReply.make(json, isDone: await device.setStandby(isStandby))
        case .orientation:
            guard let orientation = data?["mode"]?.word.flatMap({ PictureOrientation(rawValue: $0.lowercased()) })
            else { return TopicReply.make(json, isDone: false) }
            return TopicReply.make(json, isDone: await device.setOrientation(orientation, channel: command.channel))
        case .talking:
            guard let isTalking = device.isTalking else { return TopicReply.make(json, isDone: false) }
            return TopicReply.make(
                json, more: [.init(key: "status", value: .text(isTalking ? "using" : "unused"))])
        case .ptz, .ptzWord, .integrator: return nil
        }
    }

    private static func isStandby(_ word: String?) -> Bool? {
        switch word?.lowercased() {
        case "standby": true
        case "working": false
        default: nil
        }
    }
}

/// The form that answers to topics share.
enum TopicReply {
    /// - Parameters:
    ///   - request: gives topic and number, which come back as they came.
    ///   - more: between the result and the number.
    static func make(_ request: JSONValue, isDone: Bool = true, more: [JSONValue.Member] = []) -> CommandReply {
        var members = [
            JSONValue.Member(key: "confirmation_topic", value: request["topic"] ?? .text("")),
            .init(key: "result", value: .text(isDone ? "0" : "-1")),
        ]
        members += more
        if let number = request["message_id"] { members.append(.init(key: "message_id", value: number)) }
        return CommandReply(.object(members))
    }
}
