import Access

/// What user commands are about. Whoever answers them finds out by this alone, and each says what right it takes, so that
/// a new topic cannot do without.
package enum UserTopic: String, Sendable, Hashable, CaseIterable {
    /// Heads that turn: the topic, and plain words.
    case ptz
    case ptzWord = "ptz_left"
    case state = "get_status"
    case version
    case talking = "intercom"
    case privacy = "set_status"
    case orientation = "mirror_flip"
    /// Whatever else: the hook's.
    case integrator = ""

    package var right: Right {
        switch self {
        case .ptz, .ptzWord: .ptz
        case .state, .version, .talking: .command
        case .privacy, .orientation, .integrator: .control
        }
    }

    /// Whether it is about the whole device, whatever channel it names.
    package var concernsDevice: Bool {
        switch self {
        case .privacy: true
        case .ptz, .ptzWord, .state, .version, .talking, .orientation, .integrator: false
        }
    }
}

extension UserCommand {
    package var topic: UserTopic {
        guard let json else { return PTZMessage.plain(word) == nil ? .integrator : .ptzWord }
        let named = (json["topic"]?.word?.lowercased()).flatMap(UserTopic.init(rawValue:))
        return named == .ptzWord ? .integrator : named ?? .integrator
    }
}
