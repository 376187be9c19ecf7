import Access
import Testing

@Suite struct SecretTests {
    private struct Settings {
        var key = Secret("hunter2")
        var keys: [Secret?] = [Secret("hunter2")]
    }

    @Test func nothingShowsIt() {
        let secret = Secret("hunter2")
        var dumped = ""
        dump(Settings(), to: &dumped)
        let texts = [
            "\(secret)", String(describing: secret), String(reflecting: secret), "\(Settings())",
            String(reflecting: Settings()), "\(Optional(secret) as Any)", "\([secret])", dumped,
        ]
        for text in texts {
            #expect(!text.contains("hunter2"), "\(text)")
            #expect(text.contains(Secret.dots), "\(text)")
        }
        #expect(secret.reveal() == "hunter2")
        #expect(secret == Secret("hunter2") && secret != Secret("hunter3"))
    }
}
