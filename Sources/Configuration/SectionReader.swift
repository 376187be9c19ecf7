import Access
import Media

/// Reads a group of keys strictly: every key must be one that somebody asked for, of the right type and in range.
/// Mistakes are collected, and reading goes on with the default, so that all of them are found at once.
final class SectionReader {
    /// What the readers of all sections of one text write down.
    final class Notes {
        static let maximumMistakes = 100
        private(set) var mistakes: [ConfigurationMistake] = []
        /// Paths of all keys asked for, where wanted; list items are "[]".
        var knownKeys: Set<String>?

        func add(_ mistake: ConfigurationMistake) {
            if mistakes.count < Self.maximumMistakes { mistakes.append(mistake) }
        }
    }

    let notes: Notes
    /// Such as "channels[0].main"; empty for the whole text.
    let path: String
    /// The path with "[]" for list items.
    private let keyPath: String
    let position: SourcePosition
    private let entries: [YAMLNode.Entry]
    private var known: [String] = []

    /// - Parameter node: nil or null reads as a group without keys.
    init(_ node: YAMLNode?, path: String, keyPath: String, position: SourcePosition, notes: Notes) {
        self.notes = notes
        self.path = path
        self.keyPath = keyPath
        self.position = node?.position ?? position
        guard let node, !node.isNull else {
            entries = []
            return
        }
        guard case .mapping(let entries) = node.content else {
            self.entries = []
            notes.add(
                ConfigurationMistake(
                    at: node.position, "\(path.isEmpty ? "the file" : path) must be a group of keys, not \(node.kind)"))
            return
        }
        self.entries = entries
    }

    /// The value of a key; nil where it is not there or null.
    func node(_ key: String) -> YAMLNode? {
        if !known.contains(key) { known.append(key) }
        if notes.knownKeys != nil { notes.knownKeys?.insert(keyPath.isEmpty ? key : "\(keyPath).\(key)") }
        for entry in entries where entry.isKey(key) { return entry.value.isNull ? nil : entry.value }
        return nil
    }

    func mistake(at node: YAMLNode, _ message: String, hint: String? = nil) {
        notes.add(ConfigurationMistake(at: node.position, message, hint: hint))
    }

    private func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// Call when every key was asked for: says which others are there, or are there twice.
    func finish() {
        for (index, entry) in entries.enumerated() {
            guard case .scalar(let key, _) = entry.key.content else {
                notes.add(ConfigurationMistake(at: entry.key.position, "a key must be a word, not \(entry.key.kind)"))
                continue
            }
            if !known.contains(where: { entry.isKey($0) }) {
                let hint =
                    nearest(to: key, in: known).map { "did you mean \"\($0)\"?" }
                    ?? "known are \(known.joined(separator: ", "))"
                notes.add(
                    ConfigurationMistake(
                        at: entry.key.position,
                        "unknown key \"\(key.excerpt)\"" + (path.isEmpty ? "" : " in \(path)"), hint: hint))
            } else if let first = entries[..<index].first(where: { $0.key.content == entry.key.content }) {
                notes.add(
                    ConfigurationMistake(
                        at: entry.key.position, "\"\(key.excerpt)\" is already set in line \(first.key.position.line)",
                        hint: "remove one of the two"))
            }
        }
    }

    // MARK: Values

    func section<Value>(_ key: String, _ read: (SectionReader) -> Value) -> Value {
        section(key, node: node(key), read)
    }

    /// A group of keys, or `false` for none.
    func sectionOrFalse<Value>(_ key: String, _ read: (SectionReader) -> Value) -> Value? {
        let node = node(key)
        if node?.content == .scalar("false", isPlain: true) {
            return nil
        }
        return section(key, node: node, read)
    }

    private func section<Value>(_ key: String, node: YAMLNode?, _ read: (SectionReader) -> Value) -> Value {
        let section = SectionReader(
            node, path: name(key), keyPath: keyPath.isEmpty ? key : "\(keyPath).\(key)", position: position,
            notes: notes)
        defer { section.finish() }
        return read(section)
    }

    /// A list of groups; where the key is not there, one group without keys.
    func sections<Value>(_ key: String, maximum: Int, _ read: (SectionReader, Int) -> Value) -> [Value] {
        let node = node(key)
        var items: [YAMLNode?] = [nil]
        if let node {
            guard case .sequence(let list) = node.content else {
                mistake(at: node, "\(name(key)) must be a list, not \(node.kind)", hint: "start each item with \"- \"")
                return []
            }
            if list.count > maximum {
                mistake(at: list[maximum], "\(name(key)) has more than \(maximum) items")
            }
            items = Array(list.prefix(maximum))
        }
        return items.enumerated().map { index, item in
            let section = SectionReader(
                item, path: "\(name(key))[\(index)]", keyPath: "\(keyPath.isEmpty ? "" : keyPath + ".")\(key)[]",
                position: item?.position ?? position, notes: notes)
            defer { section.finish() }
            return read(section, index)
        }
    }

    /// A list of groups; none where the key is not there.
    func optionalSections<Value>(
        _ key: String, maximum: Int, _ read: (SectionReader, Int) -> Value
    ) -> [Value] {
        node(key) == nil ? [] : sections(key, maximum: maximum, read)
    }

    func bool(_ key: String) -> Bool? {
        guard let node = node(key) else { return nil }
        switch node.content {
        case .scalar("true", isPlain: true): return true
        case .scalar("false", isPlain: true): return false
        default:
            mistake(at: node, "\(name(key)) must be true or false, not \(node.kind)")
            return nil
        }
    }

    func integer(_ key: String, _ range: ClosedRange<Int>) -> Int? {
        guard let node = node(key) else { return nil }
        guard case .scalar(let text, isPlain: true) = node.content, let value = Int(text) else {
            mistake(at: node, "\(name(key)) must be a whole number, not \(node.kind)")
            return nil
        }
        guard range.contains(value) else {
            mistake(at: node, "\(name(key)) must be \(range.lowerBound) to \(range.upperBound), not \(value)")
            return nil
        }
        return value
    }

    func number(_ key: String, _ range: ClosedRange<Double>) -> Double? {
        guard let node = node(key) else { return nil }
        guard case .scalar(let text, isPlain: true) = node.content, let value = Double(text), value.isFinite else {
            mistake(at: node, "\(name(key)) must be a number, not \(node.kind)")
            return nil
        }
        guard range.contains(value) else {
            mistake(
                at: node,
                "\(name(key)) must be \(plain(range.lowerBound)) to \(plain(range.upperBound)), not \(plain(value))")
            return nil
        }
        return value
    }

    private func plain(_ value: Double) -> String {
        Int(exactly: value).map(String.init) ?? "\(value)"
    }

    func text(_ key: String, maximumLength: Int = 4096) -> String? {
        guard let node = node(key) else { return nil }
        return text(node, name: name(key), maximumLength: maximumLength)
    }

    private func text(_ node: YAMLNode, name: String, maximumLength: Int) -> String? {
        guard case .scalar(let text, _) = node.content else {
            mistake(at: node, "\(name) must be a text, not \(node.kind)")
            return nil
        }
        guard text.utf8.count <= maximumLength else {
            mistake(at: node, "\(name) is longer than \(maximumLength) bytes")
            return nil
        }
        guard !text.utf8.contains(where: { $0 < 32 || $0 == 127 }) else {
            mistake(at: node, "\(name) has a control character or more than one line", hint: "write it on one line")
            return nil
        }
        return text
    }

    /// A text that must not be seen.
    func secret(_ key: String, maximumLength: Int = 4096) -> Secret? {
        text(key, maximumLength: maximumLength).map { Secret($0) }
    }

    func texts(_ key: String, maximum: Int) -> [String]? {
        guard let node = node(key) else { return nil }
        guard case .sequence(let list) = node.content else {
            mistake(at: node, "\(name(key)) must be a list, not \(node.kind)", hint: "write [a, b], or [] for none")
            return nil
        }
        if list.count > maximum { mistake(at: list[maximum], "\(name(key)) has more than \(maximum) items") }
        return list.prefix(maximum).enumerated().compactMap {
            text($1, name: "\(name(key))[\($0)]", maximumLength: 4096)
        }
    }

    /// A list of whole numbers, all different, as many as `count`.
    func integers(_ key: String, _ range: ClosedRange<Int>, count: Int) -> [Int]? {
        guard let node = node(key) else { return nil }
        guard case .sequence(let list) = node.content, list.count == count else {
            mistake(at: node, "\(name(key)) must be a list of \(count) numbers, not \(node.kind)")
            return nil
        }
        var values: [Int] = []
        for item in list {
            guard case .scalar(let text, isPlain: true) = item.content, let value = Int(text), range.contains(value),
                !values.contains(value)
            else {
                mistake(
                    at: item,
                    "\(name(key)): \(item.kind) is no number from \(range.lowerBound) to \(range.upperBound), or there twice"
                )
                return nil
            }
            values.append(value)
        }
        return values
    }

    /// A path from the root of the file system.
    func absolutePath(_ key: String, maximumLength: Int = 4095) -> String? {
        guard let node = node(key), let text = text(node, name: name(key), maximumLength: maximumLength) else {
            return nil
        }
        guard text.hasPrefix("/") else {
            mistake(at: node, "\(name(key)) must be a whole path, not \(node.kind)", hint: "start it with \"/\"")
            return nil
        }
        return text
    }

    /// One of some words.
    func choice<Value>(_ key: String, _ words: [(word: String, value: Value)]) -> Value? {
        guard let node = node(key) else { return nil }
        if case .scalar(let text, _) = node.content {
            if let found = words.first(where: { $0.word == text }) { return found.value }
            if let near = nearest(to: text, in: words.lazy.map(\.word)) {
                mistake(at: node, "\(name(key)) cannot be \(node.kind)", hint: "did you mean \"\(near)\"?")
                return nil
            }
        }
        mistake(
            at: node, "\(name(key)) cannot be \(node.kind)",
            hint: "choose one of \(words.map(\.word).joined(separator: ", "))")
        return nil
    }

    /// One or more of some words, joined by commas.
    func choices(_ key: String, _ words: [String]) -> String? {
        guard let node = node(key) else { return nil }
        guard case .scalar(let text, _) = node.content,
            text.split(separator: ",", omittingEmptySubsequences: false).allSatisfy({ words.contains(String($0)) })
        else {
            mistake(
                at: node, "\(name(key)) cannot be \(node.kind)",
                hint: "choose of \(words.joined(separator: ", ")), joined by commas without spaces")
            return nil
        }
        return text
    }

    /// A group whose keys are numbers, decimal or with 0x.
    func numberedIntegers(_ key: String, _ range: ClosedRange<Int>) -> [UInt32: Int] {
        guard let node = node(key) else { return [:] }
        guard case .mapping(let entries) = node.content else {
            mistake(at: node, "\(name(key)) must be a group such as {0x00980913: 1}, not \(node.kind)")
            return [:]
        }
        if entries.count > 64 { mistake(at: entries[64].key, "\(name(key)) has more than 64 keys") }
        var values: [UInt32: Int] = [:]
        for entry in entries.prefix(64) {
            guard case .scalar(let keyText, isPlain: true) = entry.key.content,
                let number = keyText.hasPrefix("0x") ? UInt32(keyText.dropFirst(2), radix: 16) : UInt32(keyText)
            else {
                mistake(
                    at: entry.key, "\(name(key)): a key must be a control's number, not \(entry.key.kind)",
                    hint: "v4l2-ctl --list-ctrls prints them")
                continue
            }
            guard case .scalar(let text, isPlain: true) = entry.value.content, let value = Int(text),
                range.contains(value)
            else {
                mistake(
                    at: entry.value, "\(name(key)): a value must be a whole number of 32 bits, not \(entry.value.kind)")
                continue
            }
            if values.updateValue(value, forKey: number) != nil {
                mistake(at: entry.key, "\(name(key)): control \(entry.key.kind) is set twice")
            }
        }
        return values
    }

    /// A key that means nothing with another `source` than the one it belongs to.
    func refuse(_ key: String, unless isAllowed: Bool, _ source: String) {
        guard !isAllowed, let node = node(key) else { return }
        mistake(
            at: node, "\(name(key)) is only for source: \(source)", hint: "write source: \(source), or remove it")
    }

    func require(_ key: String, isThere: Bool, _ what: String) {
        // A value that is there and wrong has its mistake already.
        guard !isThere, node(key) == nil else { return }
        notes.add(ConfigurationMistake(at: position, "\(name(key)) is missing", hint: "give \(what)"))
    }

    /// Width and height such as 1280x720, both even, as 4:2:0 pictures need.
    func size(_ key: String) -> PictureSize? {
        guard let node = node(key) else { return nil }
        let limits = 32...7680
        guard case .scalar(let text, _) = node.content else {
            mistake(at: node, "\(name(key)) must be a size such as 1280x720, not \(node.kind)")
            return nil
        }
        let parts = text.split(separator: "x", omittingEmptySubsequences: false)
        guard parts.count == 2, let width = Int(parts[0]), let height = Int(parts[1]) else {
            mistake(at: node, "\(name(key)) must be a size such as 1280x720, not \(node.kind)")
            return nil
        }
        guard limits.contains(width), limits.contains(height), width % 2 == 0, height % 2 == 0 else {
            mistake(
                at: node,
                "\(name(key)): width and height must be even and \(limits.lowerBound) to \(limits.upperBound), not \(node.kind)"
            )
            return nil
        }
        return PictureSize(width: width, height: height)
    }
}

extension YAMLNode.Entry {
    fileprivate func isKey(_ name: String) -> Bool {
        guard case .scalar(let text, _) = key.content else { return false }
        return text == name
    }
}
