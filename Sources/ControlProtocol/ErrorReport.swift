/// The body of every answer that is not a success: `{"error":{"code":…,"message":…}}`.
package struct ErrorReport: Codable, Error, Sendable, Hashable, CustomStringConvertible {
    package struct Details: Codable, Sendable, Hashable {
        /// A word a program can act on, such as badRequest, notFound, or a push's close cause.
        package var code: String
        /// A sentence for people: what was tried, and what to do.
        package var message: String
    }

    package var error: Details

    package init(code: String, message: String) {
        error = Details(code: code, message: message)
    }

    package var description: String { "\(error.message) (\(error.code))" }
}
