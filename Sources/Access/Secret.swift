/// A value that must not be seen: however it gets into a log line, a report or an error's text, dots stand there. Whoever
/// needs it says so with `reveal`.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let value: String

    package init(_ value: String) { self.value = value }

    package func reveal() -> String { value }

    package static let dots = "•••"
    package var description: String { Self.dots }
    package var debugDescription: String { Self.dots }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
