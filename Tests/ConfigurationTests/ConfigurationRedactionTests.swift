import Configuration
import Testing

@Suite struct ConfigurationRedactionTests {
    private static func shown(_ text: String) -> String { ConfigurationRedaction.redacted(text) }

    @Test(arguments: [
        "  password: hunter22", "password: \"hunter22\"", "password: 'hunter22'  # the old one", "# password: hunter22",
        "broker: {user: a, password: hunter22, port: 1}", "\"password\": hunter22", "peers: {ticketKey: hunter22}",
        "password: |\n  hunter22\n  hunter22\nnext: 1", "password:\n  hunter22\nnext: 1", "viewerToken: hunter22",
        "target: rtmp://u:hunter22@media.example/live/key", "target: rtmp://media.example/live/hunter22?x=1",
        "target: \"rtmps://media.example/live?token=hunter22\"", "[broken: {password: hunter22", "password: hunter22\r",
    ])
    func noSecretIsLeft(text: String) {
        #expect(!Self.shown(text).contains("hunter22"), "\(Self.shown(text))")
        #expect(Self.shown(text).contains(ConfigurationRedaction.mark))
    }

    @Test func whatIsNoSecretStays() {
        let text = """
            # A comment: with a colon
            channels:
              - name: "Door: front"
                video: {source: v4l2, device: /dev/video0}
            push: {defaultTarget: "rtmp://10.0.2.2:1935/live"}
            peers: {ticketKey: null}
            server:
              password:   ~
              address: 0.0.0.0
            """
        #expect(Self.shown(text) == text)
    }

    @Test func hostAndApplicationOfAnAddressStay() {
        #expect(
            Self.shown("a: rtmp://u:p@media.example:1935/live/key/more?x=1 # here")
                == "a: rtmp://[removed]@media.example:1935/live/[removed] # here")
    }

    @Test func aSecretIsTakenOutWhereverElseItStands() {
        let shown = Self.shown("password: hunter22\nname: hunter22 the second")
        #expect(shown == "password: [removed]\nname: [removed] the second")
    }

    @Test func linesAfterASecretOfSeveralLinesStay() {
        #expect(Self.shown("a:\n  password: |\n    one\n    two\n  b: 3") == "a:\n  password: [removed]\n  b: 3")
    }

    @Test func anyTextIsTaken() {
        var random = SystemRandomNumberGenerator()
        let letters = Array("pasword:{}\"'| \n#/@?,>tokenTOKEN1")
        for _ in 0..<20_000 {
            let text = String((0..<Int.random(in: 0...60, using: &random)).map { _ in letters.randomElement() ?? " " })
            _ = Self.shown(text)
        }
    }
}
