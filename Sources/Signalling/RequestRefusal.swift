/// Why a request is not served, in a form that every transport can say: an HTTP status, a word for programs and a
/// sentence for people.
///
/// Whatever a viewer asked wrongly is 404: some viewers give up their whole link at 500 and above, which is therefore
/// kept for "full" and "broken".
package struct RequestRefusal: Error, Sendable, Hashable {
    /// How full the device is.
    package struct Occupancy: Sendable, Hashable {
        package let viewers: Int
        package let limit: Int

        package init(viewers: Int, limit: Int) {
            self.viewers = viewers
            self.limit = limit
        }
    }

    package let status: Int
    package let code: String
    package let message: String
    package let occupancy: Occupancy?

    package init(status: Int, code: String, message: String, occupancy: Occupancy? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.occupancy = occupancy
    }

    package static func notFound(_ message: String) -> RequestRefusal {
        RequestRefusal(status: 404, code: "notFound", message: message)
    }

    /// Nothing is wrong with the request, so viewers keep their link.
    package static let standby = RequestRefusal(
        status: 404, code: "standby", message: "the device is in privacy mode and gives no pictures or sound")

    package static func malformed(_ message: String) -> RequestRefusal {
        RequestRefusal(status: 404, code: "badRequest", message: message)
    }
}
