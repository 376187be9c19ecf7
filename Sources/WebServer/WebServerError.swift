/// Why the server could not begin to listen.
package struct WebServerError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
