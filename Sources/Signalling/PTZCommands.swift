import Motion

/// User commands for heads that turn: the topic `ptz` in JSON, and the plain words of native viewers.
package struct PTZCommands: Sendable {
    private let device: any DeviceView

    package init(_ device: any DeviceView) { self.device = device }

    package func add(to commands: inout UserCommands) {
        commands.add { command in
            switch command.topic {
            case .ptz: await topic(command)
            case .ptzWord: await plain(command)
            case .state, .version, .talking, .privacy, .orientation, .integrator: nil
            }
        }
    }

    // MARK: JSON

    private func topic(_ command: UserCommand) async -> CommandReply? {
        guard let json = command.json else { return nil }
        guard let data = json["data"], let order = PTZMessage(data), let head = device.head(of: command.channel) else {
            return Self.reply(json, device.head(of: command.channel)?.report, isDone: false)
        }
        guard case .command(let ptz) = order else {
            return Self.reply(json, head.report, isDone: true, withPresets: true)
        }
        do throws(PTZRefusal) {
            let report = try await head.perform(ptz, for: command.visitor.motionHolder)
            return Self.reply(json, report, isDone: true, withPresets: order.isAboutPresets)
        } catch {
            return Self.reply(json, head.report, isDone: false)
        }
    }

    /// In the order of the specification's example. Positions that are not known are left out. The presets there are
    /// come with answers to commands of our own only.
    private static func reply(
        _ request: JSONValue, _ report: PTZReport?, isDone: Bool, withPresets: Bool = false
    ) -> CommandReply {
        var more = [JSONValue.Member(key: "apex", value: .text(report?.isAtEnd == true ? "yes" : "no"))]
        let degrees = [
            ("current_x", report?.pan), ("current_y", report?.tilt), ("max_x", report?.limits?.maxPan),
            ("max_y", report?.limits?.maxTilt), ("min_x", report?.limits?.minPan), ("min_y", report?.limits?.minTilt),
        ]
        for (key, value) in degrees {
            guard let whole = value.flatMap({ Int(exactly: $0.rounded()) }) else { continue }
            more.append(.init(key: key, value: .quoted(whole)))
        }
        if withPresets, let presets = report?.presets {
            more.append(.init(key: "presets", value: .list(presets.map { .number(Int64($0)) })))
        }
        return TopicReply.make(request, isDone: isDone, more: more)
    }

    // MARK: Plain words

    /// One step for each command, since there is no release. Nil where it is no such word.
    private func plain(_ command: UserCommand) async -> CommandReply? {
        guard let ptz = PTZMessage.plain(command.word) else { return nil }
        guard let head = device.head(of: command.channel) else { return .unsupported }
        do throws(PTZRefusal) {
            _ = try await head.perform(ptz, for: command.visitor.motionHolder)
            return .accepted
        } catch {
            return .refused
        }
    }
}

extension VisitorID {
    /// Of 33 bits; larger ones are for commands from elsewhere.
    package var motionHolder: MotionHolder { MotionHolder(rawValue: UInt64(number)) }
}
