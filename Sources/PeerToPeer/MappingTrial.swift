import Media

/// Finds out what address servers see one UDP socket at, and so what the routers before it make of its address (RFC 5780,
/// 4.3, with any servers): datagrams and times in, datagrams out.
package struct MappingTrial: Sendable {
    package struct Datagram: Sendable, Hashable {
        package let bytes: [UInt8]
        package let server: NetworkAddress
    }

    package enum Outcome: Sendable, Hashable {
        /// What the server sees, and how long it took in milliseconds.
        case answered(NetworkAddress, milliseconds: Int64)
        case refused(code: Int, reason: String)
        case silent
        /// The system did not send it.
        case unsendable(String)
    }

    package struct Answer: Sendable, Hashable {
        package let server: NetworkAddress
        package let outcome: Outcome
    }

    private struct Query: Sendable {
        let server: NetworkAddress
        var exchange: STUNExchange
        var outcome: Outcome?
    }

    /// Besides those that are named, a server may be asked at its other address and port.
    static let maximumServers = 16
    private var queries: [Query] = []
    private var hasOther = false

    package init() {}

    /// - Returns: the first questions, to at most `maximumServers`.
    package mutating func begin(_ servers: [NetworkAddress], now: MediaTime) -> [Datagram] {
        servers.compactMap { ask($0, now: now) }
    }

    private mutating func ask(_ server: NetworkAddress, now: MediaTime) -> Datagram? {
        guard queries.count < Self.maximumServers, !queries.contains(where: { $0.server == server }) else { return nil }
        let message = STUNMessage(.request, .binding, transaction: STUNMessage.makeTransaction())
        let exchange = STUNExchange(message, now: now)
        queries.append(Query(server: server, exchange: exchange))
        return Datagram(bytes: exchange.message, server: server)
    }

    /// - Returns: what is to be asked because of it.
    package mutating func take(_ bytes: [UInt8], from source: NetworkAddress, now: MediaTime) -> [Datagram] {
        guard let answer = STUNMessage(bytes),
            let index = queries.firstIndex(where: {
                $0.outcome == nil && $0.server == source && $0.exchange.isAnswered(by: answer)
            })
        else { return [] }
        if let error = answer.error, answer.messageClass == .failure {
            queries[index].outcome = .refused(code: error.code, reason: error.reason)
            return []
        }
        guard answer.messageClass == .success, let mapped = answer.mappedAddress else { return [] }
        queries[index].outcome = .answered(
            mapped, milliseconds: (now - queries[index].exchange.begun).milliseconds)
        return askElsewhere(answer, source, now: now)
    }

    /// The server's other address, with its first port and then the other (RFC 5780, 4.3, tests II and III).
    private mutating func askElsewhere(_ answer: STUNMessage, _ source: NetworkAddress, now: MediaTime) -> [Datagram] {
        guard !hasOther, let other = answer.address(.otherAddress), other.bytes.count == source.bytes.count,
            other.bytes != source.bytes, other.port != 0
        else { return [] }
        hasOther = true
        let ports = other.port == source.port ? [source.port] : [source.port, other.port]
        return ports.compactMap { NetworkAddress(bytes: other.bytes, port: $0) }.compactMap { ask($0, now: now) }
    }

    /// What is due again now; who stays silent is given up.
    package mutating func step(now: MediaTime) -> [Datagram] {
        var due: [Datagram] = []
        for index in queries.indices where queries[index].outcome == nil {
            switch queries[index].exchange.step(now: now) {
            case .wait: break
            case .sendAgain:
                due.append(Datagram(bytes: queries[index].exchange.message, server: queries[index].server))
            case .giveUp: queries[index].outcome = .silent
            }
        }
        return due
    }

    package mutating func failed(_ server: NetworkAddress, _ reason: String) {
        guard let index = queries.firstIndex(where: { $0.server == server && $0.outcome == nil }) else { return }
        queries[index].outcome = .unsendable(reason)
    }

    /// When `step` wants to be called; nil where all is known.
    package var deadline: MediaTime? { queries.filter { $0.outcome == nil }.map(\.exchange.deadline).min() }

    /// As far as they are known, in the order of the questions.
    package var answers: [Answer] {
        queries.compactMap { query in query.outcome.map { Answer(server: query.server, outcome: $0) } }
    }
}
