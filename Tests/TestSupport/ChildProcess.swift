import Glibc
import NIOCore
import NIOPosix

/// Another program, started with no signal blocked: threads of a test may have blocked them all, and a child would
/// inherit that and never hear SIGTERM.
package final class ChildProcess: Sendable {
    package let pid: pid_t

    /// Standard error goes to the file `errors`, standard output to `output` or nowhere.
    package init(_ arguments: [String], output: String = "/dev/null", errors: String) throws {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var files = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&files)
        defer { posix_spawn_file_actions_destroy(&files) }
        posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&files, 1, output, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        posix_spawn_file_actions_addopen(&files, 2, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        var pid: pid_t = 0
        var pointers = arguments.map { strdup($0) }
        defer { pointers.forEach { free($0) } }
        pointers.append(nil)
        let result = posix_spawn(&pid, arguments[0], &files, &attributes, pointers, environ)
        guard result == 0 else { throw IOError(errnoCode: result, reason: "posix_spawn \(arguments[0])") }
        self.pid = pid
    }

    package func terminate() { kill(pid, SIGTERM) }

    /// The exit status, or -1 where a signal ended it.
    package func wait() async throws -> Int32 {
        try await NIOThreadPool.singleton.runIfActive { [pid] in
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0 {
                guard errno == EINTR else { throw IOError(errnoCode: errno, reason: "waitpid") }
            }
            return status & 0x7F == 0 ? status >> 8 & 0xFF : -1
        }
    }
}
