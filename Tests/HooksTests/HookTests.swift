import Glibc
import Hooks
import Logging
import Media
import Signalling
import Testing

/// Real programs and sockets, since these are what the hook is about.
@Suite struct HookTests {
    private static let command = UserCommand(
        channel: 2, visitor: VisitorID(7), payload: #"{"topic":"lamp","data":"$(touch x); `reboot` 'a' \"b\""}"#)

    private func ask(
        _ program: String, _ arguments: [String] = [], timeout: MediaTime = .seconds(10)
    ) async -> Result<JSONValue, HookFailure> {
        await ask(.program(path: program, arguments: arguments), timeout: timeout)
    }

    private func ask(_ target: HookSettings.Target, timeout: MediaTime) async -> Result<JSONValue, HookFailure> {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let hook = IntegratorHook(HookSettings(target: target, timeout: timeout), logger: logger)
        do throws(HookFailure) { return .success(try await hook.ask(Self.command)) } catch { return .failure(error) }
    }

    @Test func aProgramIsGivenOneLineOfJSONAndNothingElse() async throws {
        #expect(try await ask("/bin/cat").get() == Self.command.hookRequest)
        #expect(Self.command.hookRequest["visitor"] == .number(7))
        #expect(Self.command.hookRequest["channel"] == .number(2))
        #expect(Self.command.hookRequest["json"]?["topic"] == .text("lamp"))
        // Only its own variables, the three standard files, and a group of its own.
        let script = """
            variables=$(env -u PWD -u OLDPWD -u _ -u SHLVL /usr/bin/env | cut -d= -f1 | sort | tr '\\n' ' ')
            [ "$(cut -d' ' -f5 /proc/$$/stat)" = $$ ] && printf '{"variables":"%s"}' "$variables"
            """
        let reply = try await ask("/bin/bash", ["-c", script]).get()
        #expect(reply == ["variables": .text("LC_ALL PATH ")])
    }

    @Test(arguments: [
        "exit 3", "echo no JSON", "", "kill -9 $$", "head -c 20000 /dev/zero | tr '\\0' 1",
        "echo '{}'; exec sleep 100000", "exec sleep 100000", "sleep 100000 & echo '{}'",
    ])
    func failuresAreFailures(_ script: String) async {
        let result = await ask("/bin/bash", ["-c", script], timeout: .milliseconds(500))
        #expect(throws: HookFailure.self) { try result.get() }
    }

    @Test func aProgramThatIsNotThereIsAFailure() async {
        let result = await ask("/nowhere/at-all")
        #expect(throws: HookFailure.self) { try result.get() }
    }

    @Test func allThatItStartedEndsWithIt() async throws {
        // The program says whom it started, and does not end; so does the one it started.
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { close(ends[0]) }
        let file = "/proc/\(getpid())/fd/\(ends[1])"
        _ = await ask("/bin/bash", ["-c", "sleep 100000 > \(file) & wait"], timeout: .milliseconds(500))
        close(ends[1])
        // The pipe's end shows when the last that could write there is gone.
        var entry = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
        #expect(poll(&entry, 1, 20_000) == 1)
        #expect(entry.revents & Int16(POLLHUP) != 0)
    }
}
