/// What is done about a microphone that hears the speaker.
package enum EchoTreatment: String, Sendable, CaseIterable {
    /// The echo is taken out; both can talk at once.
    case cancel
    /// The microphone is lowered while somebody is heard.
    case duck
    case off
}
