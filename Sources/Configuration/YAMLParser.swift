import CYAML

/// Reads one YAML document through libyaml's events, with bounds. Anchors, aliases and tags are refused: a
/// configuration needs none, and they are how a small text becomes a large one.
package enum YAMLParser {
    package static let maximumBytes = 256 << 10
    package static let maximumDepth = 16
    package static let maximumNodes = 20_000

    /// Nil for a text without a document, such as an empty one.
    package static func parse(_ text: [UInt8]) throws(ConfigurationMistake) -> YAMLNode? {
        guard text.count <= maximumBytes else {
            throw ConfigurationMistake(
                at: SourcePosition(), "the file is larger than \(maximumBytes / 1024) KiB", hint: "is it the right one?"
            )
        }
        // An empty array has no address, and libyaml wants one.
        guard !text.isEmpty else { return nil }
        var parser = yaml_parser_t()
        guard yaml_parser_initialize(&parser) == 1 else {
            throw ConfigurationMistake(at: SourcePosition(), "no memory to read the file")
        }
        defer { yaml_parser_delete(&parser) }
        let result: Result<YAMLNode?, ConfigurationMistake> = text.withUnsafeBufferPointer { bytes in
            // libyaml keeps the pointer; all parsing happens inside this closure.
            yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
            yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING)
            var builder = Builder()
            return Result { () throws(ConfigurationMistake) in try builder.readDocument(&parser) }
        }
        return try result.get()
    }
}

/// Turns events into nodes.
private struct Builder {
    /// A list or group that is not yet complete.
    private struct Open {
        var items: [YAMLNode] = []
        var isMapping: Bool
        var position: SourcePosition
    }

    private var stack: [Open] = []
    private var root: YAMLNode?
    private var documents = 0
    private var nodes = 0

    mutating func readDocument(_ parser: inout yaml_parser_t) throws(ConfigurationMistake) -> YAMLNode? {
        while true {
            var event = yaml_event_t()
            guard yaml_parser_parse(&parser, &event) == 1 else { throw Self.syntaxMistake(parser) }
            defer { yaml_event_delete(&event) }
            if event.type == YAML_STREAM_END_EVENT { return root }
            try take(event)
        }
    }

    private mutating func take(_ event: yaml_event_t) throws(ConfigurationMistake) {
        let position = SourcePosition(event.start_mark)
        switch event.type {
        case YAML_DOCUMENT_START_EVENT:
            documents += 1
            guard documents == 1 else {
                throw ConfigurationMistake(at: position, "a second document starts here", hint: "remove the \"---\"")
            }
        case YAML_ALIAS_EVENT:
            throw ConfigurationMistake(at: position, "aliases (*name) are not supported", hint: "write the value out")
        case YAML_SCALAR_EVENT:
            let scalar = event.data.scalar
            try refuse(anchor: scalar.anchor, tag: scalar.tag, at: position)
            let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
            try add(YAMLNode(.scalar(text, isPlain: scalar.style == YAML_PLAIN_SCALAR_STYLE), at: position))
        case YAML_SEQUENCE_START_EVENT:
            try refuse(anchor: event.data.sequence_start.anchor, tag: event.data.sequence_start.tag, at: position)
            try open(isMapping: false, at: position)
        case YAML_MAPPING_START_EVENT:
            try refuse(anchor: event.data.mapping_start.anchor, tag: event.data.mapping_start.tag, at: position)
            try open(isMapping: true, at: position)
        case YAML_SEQUENCE_END_EVENT, YAML_MAPPING_END_EVENT:
            guard let complete = stack.popLast() else { return }
            if complete.isMapping {
                let items = complete.items
                let entries = stride(from: 0, to: items.count - 1, by: 2).map {
                    YAMLNode.Entry(key: items[$0], value: items[$0 + 1])
                }
                try add(YAMLNode(.mapping(entries), at: complete.position))
            } else {
                try add(YAMLNode(.sequence(complete.items), at: complete.position))
            }
        default: break
        }
    }

    private mutating func open(isMapping: Bool, at position: SourcePosition) throws(ConfigurationMistake) {
        guard stack.count < YAMLParser.maximumDepth else {
            throw ConfigurationMistake(at: position, "nested deeper than \(YAMLParser.maximumDepth) levels")
        }
        stack.append(Open(isMapping: isMapping, position: position))
    }

    private mutating func add(_ node: YAMLNode) throws(ConfigurationMistake) {
        nodes += 1
        guard nodes <= YAMLParser.maximumNodes else {
            throw ConfigurationMistake(at: node.position, "more than \(YAMLParser.maximumNodes) values")
        }
        if stack.isEmpty { root = node } else { stack[stack.count - 1].items.append(node) }
    }

    private func refuse(
        anchor: UnsafeMutablePointer<UInt8>?, tag: UnsafeMutablePointer<UInt8>?, at position: SourcePosition
    ) throws(ConfigurationMistake) {
        if anchor != nil {
            throw ConfigurationMistake(at: position, "anchors (&name) are not supported", hint: "write the value out")
        }
        if tag != nil {
            throw ConfigurationMistake(at: position, "tags (!name) are not supported", hint: "remove the tag")
        }
    }

    private static func syntaxMistake(_ parser: yaml_parser_t) -> ConfigurationMistake {
        let problem = parser.problem.map { String(cString: $0) } ?? "it cannot be read"
        if parser.error == YAML_READER_ERROR {
            // The reader knows only the byte; the mark is where the scanner has come so far.
            return ConfigurationMistake(
                at: SourcePosition(parser.mark), "not a YAML text: \(problem) (at byte \(parser.problem_offset))",
                hint: "the file must be UTF-8 without control characters")
        }
        let context = parser.context.map { String(cString: $0) + ", " } ?? ""
        let isTab = problem.hasPrefix("found character that cannot start") || problem.contains("tab character")
        return ConfigurationMistake(
            at: SourcePosition(parser.problem_mark), "not a YAML text: \(context)\(problem)",
            hint: isTab ? "indent with spaces, and put values with special characters in quotes" : nil)
    }
}

extension SourcePosition {
    fileprivate init(_ mark: yaml_mark_t) {
        self.init(line: mark.line + 1, column: mark.column + 1)
    }
}
