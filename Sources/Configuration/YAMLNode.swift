/// A piece of a YAML text, with its place there.
package struct YAMLNode: Sendable, Hashable {
    package enum Content: Sendable, Hashable {
        /// `isPlain`: written without quotes, so it may stand for a number, a truth value or nothing.
        case scalar(String, isPlain: Bool)
        case sequence([YAMLNode])
        /// In the order of the text; a key may be there twice.
        case mapping([Entry])
    }

    package struct Entry: Sendable, Hashable {
        package var key: YAMLNode
        package var value: YAMLNode
    }

    package var content: Content
    package var position: SourcePosition

    package init(_ content: Content, at position: SourcePosition = SourcePosition()) {
        self.content = content
        self.position = position
    }

    /// Nothing was written, or `null`, or `~`.
    package var isNull: Bool {
        guard case .scalar(let text, isPlain: true) = content else { return false }
        return text.isEmpty || text == "~" || text == "null"
    }

    /// What it is, for people.
    package var kind: String {
        switch content {
        case .scalar(let text, let isPlain): isNull ? "nothing" : isPlain ? text.excerpt : "\"\(text.excerpt)\""
        case .sequence: "a list"
        case .mapping: "a group of keys"
        }
    }
}

extension String {
    /// Short enough for a message, and on one line.
    var excerpt: String {
        let clean = String(String.UnicodeScalarView(unicodeScalars.prefix(41).map { $0.value < 32 ? " " : $0 }))
        return clean.unicodeScalars.count > 40 ? clean.prefix(39) + "…" : clean
    }
}
