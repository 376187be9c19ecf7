import Access

extension Right {
    /// Rights as people and programs write them.
    ///
    /// - Parameter fallback: where nothing is said.
    static func named(_ names: [String]?, else fallback: Set<Right>) throws(ControlError) -> Set<Right> {
        guard let names else { return fallback }
        var rights: Set<Right> = []
        for name in names {
            guard let right = Right(rawValue: name) else {
                let known = allCases.map(\.rawValue).joined(separator: ", ")
                throw .badRequest("there is no right \"\(name)\"; known are \(known)")
            }
            rights.insert(right)
        }
        return rights
    }
}

extension Grant {
    /// Channels are numbers of 16 bits at most in tickets.
    static func ordered(_ rights: Set<Right>, channel: Int?) throws(ControlError) -> Grant {
        if let channel, !(0...Int(UInt16.max)).contains(channel) {
            throw .badRequest("there is no channel \(channel)")
        }
        return Grant(rights: rights, channel: channel)
    }
}
