import PeerToPeer
import Signalling

/// What comes over the broker, as a value that was looked at.
package enum RendezvousRequest: Sendable, Hashable {
    /// `{"id":…,"sdp":…,"ticket":…}`, answered at the id.
    case offer(id: String, sdp: String, ticket: String?)
    /// `{"link":…,"candidates":"a=candidate:…"}`; no answer.
    case candidates(CandidateFragment, link: String)
    /// `{"id":…,"method":"GET","path":"/api/v1/status","body":{…}}`, replied to at the id.
    case command(id: String, method: Method, path: String, body: String)

    package enum Method: String, Sendable, Hashable { case get = "GET", post = "POST", delete = "DELETE" }
    package enum Kind: Sendable, Hashable, CaseIterable { case offers, candidates, commands }

    /// What is wrong with a message, and whom to tell.
    package struct Problem: Error, Sendable, Hashable {
        /// Nil where that cannot be read, so nobody is told.
        package let id: String?
        package let message: String
    }

    /// Larger messages are not looked at.
    package static let maximumBytes = JSONReader.maximumBytes
    package static let maximumIDBytes = 64
    private static let maximumPathBytes = 256

    package init(_ kind: Kind, _ payload: some Collection<UInt8>) throws(Problem) {
        guard let json = JSONReader.read(payload), case .object = json else {
            throw Problem(id: nil, message: "the message is no JSON object")
        }
        let id = json["id"]?.word.flatMap { Self.isID($0) ? $0 : nil }
        switch kind {
        case .candidates:
            guard let link = json["link"]?.word, Self.isID(link),
                let fragment = json["candidates"]?.word.flatMap({ CandidateFragment($0) })
            else { throw Problem(id: nil, message: "link or candidates are missing") }
            self = .candidates(fragment, link: link)
        case .offers:
            guard let id else { throw Problem(id: nil, message: "the id is missing") }
            guard case .text(let sdp)? = json["sdp"] else { throw Problem(id: id, message: "sdp is missing") }
            self = .offer(id: id, sdp: sdp, ticket: json["ticket"]?.word)
        case .commands:
            guard let id else { throw Problem(id: nil, message: "the id is missing") }
            guard let method = Method(rawValue: json["method"]?.word?.uppercased() ?? "GET") else {
                throw Problem(id: id, message: "the method is GET, POST or DELETE")
            }
            guard let path = json["path"]?.word, Self.isPath(path) else {
                throw Problem(id: id, message: "the path is missing, or none")
            }
            self = .command(id: id, method: method, path: path, body: json["body"].map(\.text) ?? "")
        }
    }

    /// It becomes a level of a topic.
    private static func isID(_ text: String) -> Bool {
        (1...maximumIDBytes).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
                    true
                default: false
                }
            }
    }

    private static func isPath(_ text: String) -> Bool {
        text.hasPrefix("/") && text.utf8.count <= maximumPathBytes
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
