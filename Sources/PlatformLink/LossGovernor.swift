import Media

/// Turns a platform's word on how much it loses (0x9105) into a ceiling for the encoder: a sixth less while it loses five
/// per cent or more, a tenth more with each report without loss.
struct LossGovernor: Sendable, Hashable {
    enum Change: Sendable, Hashable {
        /// Bits a second.
        case ceiling(Int)
        case lift
    }

    /// Per cent.
    static let tolerance = 5
    static let floor = 64_000

    private var ceiling: Int?

    /// - Parameter configured: bits a second.
    mutating func update(loss: Int, configured: Int) -> Change? {
        guard configured > 0 else { return nil }
        if loss >= Self.tolerance {
            let lowered = max((ceiling ?? configured) * 5 / 6, min(Self.floor, configured))
            guard lowered != ceiling else { return nil }
            ceiling = lowered
            return .ceiling(lowered)
        }
        guard loss == 0, let present = ceiling else { return nil }
        let raised = present + max(present / 10, 1)
        ceiling = raised < configured ? raised : nil
        return ceiling.map { .ceiling($0) } ?? .lift
    }
}
