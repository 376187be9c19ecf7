/// One thing wrong with a configuration, where it is, and what to do about it.
package struct ConfigurationMistake: Error, Sendable, Hashable {
    package var position: SourcePosition
    package var message: String
    package var hint: String?

    package init(at position: SourcePosition, _ message: String, hint: String? = nil) {
        self.position = position
        self.message = message
        self.hint = hint
    }

    /// As compilers write it: `file:line:column: error: message; hint`.
    package func description(file: String) -> String {
        "\(file):\(position.line):\(position.column): error: \(message)" + (hint.map { "; \($0)" } ?? "")
    }
}

/// All that is wrong with a configuration, in the order of the text.
package struct ConfigurationMistakes: Error, Sendable, Hashable {
    package var mistakes: [ConfigurationMistake]

    package init(_ mistakes: [ConfigurationMistake]) { self.mistakes = mistakes }
}

/// A place in a text; both count from 1, the column in characters.
package struct SourcePosition: Sendable, Hashable, Comparable {
    package var line: Int
    package var column: Int

    package init(line: Int = 1, column: Int = 1) {
        self.line = line
        self.column = column
    }

    package static func < (a: SourcePosition, b: SourcePosition) -> Bool {
        (a.line, a.column) < (b.line, b.column)
    }
}
