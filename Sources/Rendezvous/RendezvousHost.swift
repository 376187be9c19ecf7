import PeerToPeer
import Signalling

/// What the rendezvous may ask of the agent.
package protocol RendezvousHost: Sendable {
    /// What is said of the device as long as it is connected.
    func presence() async -> JSONValue
    /// What a viewer needs to connect, made anew with each call.
    func info() async -> String
    /// An answer to an offer, and the name of the link that it makes.
    func answer(_ offer: String, ticket: String?) async throws(PeerRefusal) -> (token: String, answer: String)
    func take(_ fragment: CandidateFragment, for link: String) async
    /// A request to the control API: its status, and its answer as JSON.
    func command(
        _ method: RendezvousRequest.Method, _ path: String, body: String
    ) async -> (status: Int, body: String)
    /// What happens from now on, each as JSON. Bounded.
    func events() async -> AsyncStream<String>
}
