import Media
import PeerToPeer
import TestSupport
import Testing

/// What servers may see of a socket, and what that says of the routers before it.
@Suite struct MappingTrialTests {
    private static let servers = ["203.0.113.10", "203.0.113.20"].compactMap { NetworkAddress($0, port: 3478) }
    private static let other = NetworkAddress("203.0.113.11", port: 3479)

    private func answer(
        _ question: MappingTrial.Datagram, _ mapped: [UInt8], port: UInt16, other: NetworkAddress? = nil
    ) throws -> [UInt8] {
        let request = try #require(STUNMessage(question.bytes))
        var attributes = [STUNMessage.Attribute(.mappedAddress, Self.value(mapped, port))]
        if let other { attributes.append(.init(.otherAddress, Self.value(other.bytes, other.port))) }
        return STUNMessage(.success, .binding, transaction: request.transaction, attributes).bytes()
    }

    private static func value(_ bytes: [UInt8], _ port: UInt16) -> [UInt8] {
        [0, bytes.count == 4 ? 1 : 2, UInt8(port >> 8), UInt8(port & 255)] + bytes
    }

    private func kind(_ trial: MappingTrial, port: UInt16 = 5000, own: Set<[UInt8]> = [[10, 1, 0, 2]]) -> NATKind {
        NATKind(trial.answers, port: port, own: own)
    }

    @Test func twoServersTellTheKind() throws {
        for (ports, expected) in [([4000, 4000], NATKind.endpointIndependent), ([4000, 4001], .addressDependent)] {
            var trial = MappingTrial()
            let questions = trial.begin(Self.servers, now: .zero)
            #expect(questions.map(\.server) == Self.servers)
            for (question, port) in zip(questions, ports) {
                let reply = try answer(question, [203, 0, 113, 1], port: UInt16(port))
                #expect(trial.take(reply, from: question.server, now: .milliseconds(7)).isEmpty)
            }
            #expect(trial.deadline == nil && kind(trial) == expected)
            #expect(trial.answers[0].outcome.milliseconds == 7)
        }
    }

    @Test func oneServerWithTwoAddressesDoes() throws {
        for (last, expected) in [(UInt16(4000), NATKind.endpointIndependent), (4001, .addressDependent)] {
            var trial = MappingTrial()
            let questions = trial.begin([Self.servers[0]], now: .zero)
            let first = try #require(questions.first)
            let reply = try answer(first, [203, 0, 113, 1], port: 4000, other: Self.other)
            let more = trial.take(reply, from: first.server, now: .zero)
            #expect(more.map(\.server.description) == ["203.0.113.11:3478", "203.0.113.11:3479"])
            // Its other address names others, which are not asked: an answer leads to two questions at most.
            for (question, port) in zip(more, [4000, last]) {
                let reply = try answer(question, [203, 0, 113, 1], port: port, other: Self.servers[1])
                #expect(trial.take(reply, from: question.server, now: .zero).isEmpty)
            }
            #expect(kind(trial) == expected)
        }
    }

    @Test func oneServerAlone() throws {
        var trial = MappingTrial()
        let questions = trial.begin([Self.servers[0]], now: .zero)
        let question = try #require(questions.first)
        _ = trial.take(try answer(question, [10, 1, 0, 2], port: 5000), from: question.server, now: .zero)
        #expect(kind(trial) == .none)
        #expect(kind(trial, port: 5001) == .unknown && kind(trial, own: []) == .unknown)
    }

    @Test func strangersAreNotHeard() throws {
        var trial = MappingTrial()
        let questions = trial.begin([Self.servers[0]], now: .zero)
        let question = try #require(questions.first)
        let reply = try answer(question, [203, 0, 113, 1], port: 4000)
        #expect(trial.take(reply, from: Self.servers[1], now: .zero).isEmpty && trial.answers.isEmpty)
        _ = trial.take(try answer(question, [203, 0, 113, 1], port: 4000), from: question.server, now: .zero)
        #expect(trial.answers.count == 1)
    }

    @Test func silentServersAreGivenUp() {
        var trial = MappingTrial()
        var sent = trial.begin(Self.servers, now: .zero).count
        trial.failed(Self.servers[1], "Network is unreachable")
        while let deadline = trial.deadline { sent += trial.step(now: deadline).count }
        #expect(sent == 2 + 4)
        #expect(trial.answers.map(\.outcome) == [.silent, .unsendable("Network is unreachable")])
        #expect(kind(trial) == .noAnswer)
    }

    @Test func mutilatedAnswersDoNoHarm() throws {
        var generator = SplitMix64(state: 5780)
        var trial = MappingTrial()
        let questions = trial.begin([Self.servers[0]], now: .zero)
        let question = try #require(questions.first)
        let good = Array(try answer(question, [203, 0, 113, 1], port: 4000, other: Self.other).dropLast(8))
        for _ in 0..<FuzzRounds.count {
            var bytes = good
            mutate(&bytes, using: &generator)
            if bytes.count >= 20 {
                bytes.replaceSubrange(
                    2..<4, with: [UInt8((bytes.count - 20) >> 8 & 255), UInt8(bytes.count - 20 & 255)])
            }
            var trial = trial
            let more = trial.take(bytes, from: question.server, now: .zero)
            if more.count > 2 || trial.answers.count > 1 { Issue.record("\(bytes)") }
        }
    }

    @Test func addressesAsText() {
        #expect(NetworkAddress("192.0.2.1", port: 80)?.description == "192.0.2.1:80")
        #expect(NetworkAddress("2001:db8::1", port: 80)?.description == "[2001:db8::1]:80")
        #expect(NetworkAddress("host", port: 80) == nil && NetworkAddress(bytes: [1, 2, 3], port: 1) == nil)
    }
}

extension MappingTrial.Outcome {
    fileprivate var milliseconds: Int64? {
        if case .answered(_, let milliseconds) = self { milliseconds } else { nil }
    }
}
