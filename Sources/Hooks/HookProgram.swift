import CLinux
import Glibc
import Media
import Signalling

/// A program that is given a line and answers on its standard output. Blocks.
enum HookProgram {
    /// All that it gets to know of the agent's surroundings.
    private static let environment = ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C.UTF-8"]

    /// - Returns: what it wrote; it ended well then. It is ended, with all that it started, when the time is over.
    static func run(
        _ program: String, _ arguments: [String], input: [UInt8], until deadline: MediaTime
    ) throws(HookFailure) -> [UInt8] {
        let toProgram = try pipe()
        defer { if toProgram.reader >= 0 { close(toProgram.reader) } }
        let fromProgram: (reader: Int32, writer: Int32)
        do throws(HookFailure) { fromProgram = try pipe() } catch {
            close(toProgram.writer)
            throw error
        }
        defer { close(fromProgram.reader) }
        let started = Result { () throws(HookFailure) in
            try spawn(program, arguments, input: toProgram.reader, output: fromProgram.writer)
        }
        // Its end shows only once nobody else can write there.
        close(fromProgram.writer)
        let process: pid_t
        do throws(HookFailure) { process = try started.get() } catch {
            close(toProgram.writer)
            throw error
        }
        // Less than a pipe holds, so this does not wait.
        _ = write(toProgram.writer, input, input.count)
        close(toProgram.writer)
        let answer = Result { () throws(HookFailure) in
            try DeadlineReader.readAll(fromProgram.reader, until: deadline)
        }
        let hasEnded = waitForEnd(of: process, until: deadline)
        // What it left behind ends as well. Until it is reaped, its number is nobody else's.
        kill(-process, SIGKILL)
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        let bytes = try answer.get()
        guard hasEnded else { throw HookFailure("\(program) did not end in time") }
        guard status == 0 else { throw HookFailure("\(program) ended with wait status \(status)") }
        return bytes
    }

    private static func pipe() throws(HookFailure) -> (reader: Int32, writer: Int32) {
        var ends: [Int32] = [-1, -1]
        guard Glibc.pipe(&ends) == 0 else { throw HookFailure("pipe: \(String(cString: strerror(errno)))") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    private static func spawn(
        _ program: String, _ arguments: [String], input: Int32, output: Int32
    ) throws(HookFailure) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        clinux_spawn_close_from(&actions, STDERR_FILENO + 1)

        // A group of its own, and signals as a program expects them, not as the agent has set them.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        var words = ([program] + arguments).map { strdup($0) } + [nil]
        var variables = environment.map { strdup($0) } + [nil]
        defer { for text in words + variables { free(text) } }
        var process: pid_t = 0
        let result = posix_spawn(&process, program, &actions, &attributes, &words, &variables)
        guard result == 0 else { throw HookFailure("\(program): \(String(cString: strerror(result)))") }
        return process
    }

    /// It has closed its output or spent its time, so this seldom waits. Leaves it to be reaped.
    private static func waitForEnd(of process: pid_t, until deadline: MediaTime) -> Bool {
        let pause: Int32 = 5
        while true {
            var info = siginfo_t()
            if waitid(P_PID, id_t(process), &info, WEXITED | WNOWAIT | WNOHANG) == 0, info.si_signo == SIGCHLD {
                return true
            }
            guard SystemMediaClock().now() < deadline else { return false }
            poll(nil, 0, pause)
        }
    }
}
