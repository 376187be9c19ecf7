import Signalling

/// A place among the viewers, to be given back once.
package struct ViewerPlace: Sendable {
    /// Counts up; no two connections share one.
    let id: UInt64
    let viewer: ViewerIdentity
    /// Whose viewer it is; nil for what is no stream of a channel.
    let channel: Int?
}
