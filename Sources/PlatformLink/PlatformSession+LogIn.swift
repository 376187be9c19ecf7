import Media
import PlatformProtocol

/// Registration and authentication: how a connection becomes a link.
extension PlatformSession {
    mutating func register(_ now: MediaTime) -> [Action] {
        enter(.registering, now)
        let identity = parameters.identity
        let registration = JT808Registration(
            province: identity.province, city: identity.city, manufacturer: identity.manufacturer,
            model: identity.model, terminalID: identity.terminalID, plateColour: identity.plateColour,
            plate: identity.plate, version: settings.version)
        return send(.registration(registration), now, wantsAnswer: true)
    }

    mutating func authenticate(_ now: MediaTime) -> [Action] {
        enter(.authenticating, now)
        let identity = settings.identity
        let authentication = JT808Authentication(
            code: memory.code ?? [], imei: identity.imei, software: identity.firmware)
        return send(.authentication(authentication), now, wantsAnswer: true)
    }

    mutating func registered(_ answer: JT808RegistrationAnswer, _ now: MediaTime) -> [Action] {
        guard state == .registering, outbox.answered(0x0100, serial: answer.answers) else { return [] }
        if answer.result == 0 {
            memory.code = answer.code ?? []
            return [.remember(memory)] + authenticate(now)
        }
        let reason =
            switch answer.result {
            case 1: "the vehicle is registered already"
            case 2: "the platform has no such vehicle"
            case 3: "the terminal is registered already"
            case 4: "the platform has no such terminal"
            default: "result \(answer.result)"
            }
        // The platform remembers a code that was dropped here.
        if answer.result == 1 || answer.result == 3, let former = formerCode {
            formerCode = nil
            memory.code = former
            return authenticate(now)
        }
        return [.refused("the registration is refused: \(reason)")]
            + breakOff("the registration is refused", now, pause: Self.refusedPause)
    }

    mutating func forgetCode() -> [Action] {
        formerCode = memory.code
        memory.code = nil
        closedInAuthentication = 0
        return [.remember(memory)]
    }

    mutating func rejected(_ result: UInt8, _ now: MediaTime) -> [Action] {
        let actions = forgetCode()
        guard !hasRegisteredAnew else {
            return actions + [.refused("the log-in is refused: result \(result)")]
                + breakOff("the log-in is refused", now, pause: Self.refusedPause)
        }
        hasRegisteredAnew = true
        // The code that was refused is no help when the platform says that it knows the terminal.
        formerCode = nil
        return actions + register(now)
    }

    mutating func loggedIn(_ now: MediaTime) -> [Action] {
        enter(.online, now)
        counters.logins += 1
        closedInAuthentication = 0
        offlineSince = nil
        heartbeatAt = now + .seconds(Int64(parameters.heartbeat))
        reporter.loggedIn(now)
        var actions: [Action] = [.online]
        // Even the one that was tried as the last resort is worth keeping.
        actions.append(.remember(memory))
        // 2013 has no message for that.
        if settings.version == .v2019 { actions += send(.timeQuery, now, wantsAnswer: true) }
        return actions + reportUploads(now)
    }

    /// The device's clock is set by others; here it is only looked at.
    func compare(_ platform: JT808Time, _ view: TerminalView) -> [Action] {
        guard let time = platform.milliseconds(offset: 0) else { return [] }
        let seconds = Int((time - view.wallClock) / 1000)
        return abs(seconds) >= Self.clockTolerance ? [.clockDiffers(seconds)] : []
    }
}
