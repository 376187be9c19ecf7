import ControlProtocol

/// RAUC, by its own command line: <https://rauc.readthedocs.io>.
package struct UpdateEngine: Sendable {
    /// Its whole path.
    package var program = "/usr/bin/rauc"
    /// How long it may look at a bundle or at its slots, in seconds.
    package var answerPatience = 120
    /// How long an installation may go without a word, in seconds: a percent of a large image on a slow card.
    package var installPatience = 900

    package init() {}

    /// What RAUC knows of this machine's slots.
    package func status() throws(UpdateFailure) -> RAUCStatus {
        try ask(RAUCStatus.self, "status", "--detailed", "--output-format=json")
    }

    /// Checks the signature and reads what the bundle says of itself.
    /// - Parameter path: of the bundle, from the root.
    package func inspect(_ path: String) throws(UpdateFailure) -> RAUCBundle {
        try ask(RAUCBundle.self, "info", "--output-format=json", path)
    }

    /// Writes the bundle into the slot that is not running and makes it the next to start.
    /// - Parameters:
    ///   - path: of the bundle, from the root.
    ///   - progress: takes percents, each once.
    package func install(_ path: String, progress: (Int) -> Void) throws(UpdateFailure) {
        var reason: String?
        var percent = -1
        let ending = try run(["install", path], patienceSeconds: installPatience) { line in
            switch RAUCInstallLine(line) {
            case .progress(let now) where now > percent:
                percent = now
                progress(now)
            case .failure(let text): reason = text
            case .progress, .other: break
            }
        }
        if ending.status != 0 { throw UpdateFailure(engineSaid: reason ?? ending.errors) }
    }

    /// A command that answers with one line of JSON.
    private func ask<Answer: Decodable>(
        _ type: Answer.Type, _ arguments: String...
    ) throws(UpdateFailure) -> Answer {
        var answer = ""
        let ending = try run(arguments, patienceSeconds: answerPatience) { line in
            if line.hasPrefix("{") { answer = line }
        }
        guard ending.status == 0 else { throw UpdateFailure(engineSaid: ending.errors) }
        do {
            return try ControlCoding.decode(type, from: answer.utf8)
        } catch {
            throw .engineBroken("its answer to \"rauc \(arguments.joined(separator: " "))\" is strange: \(error)")
        }
    }

    private func run(
        _ arguments: [String], patienceSeconds: Int, line: (String) -> Void
    ) throws(UpdateFailure) -> ChildProcess.Ending {
        do {
            return try ChildProcess.run(program, arguments, patienceSeconds: patienceSeconds, line: line)
        } catch {
            throw UpdateFailure(error)
        }
    }
}
