import Glibc
import PeerToPeer

// libFuzzer's program: one parser at a time. `Scripts/fuzz` builds and runs it. `main` is libFuzzer's own, which calls these
// functions by their names (LLVM's "libFuzzer – a library for coverage-guided fuzz testing").
//
//     Fuzzing list                  prints the targets
//     Fuzzing seeds TARGET FOLDER   writes what the target is begun with
//     Fuzzing TARGET ARGUMENTS…     runs it, with libFuzzer's arguments

private nonisolated(unsafe) var chosen = FuzzTarget.all[0]

@_cdecl("LLVMFuzzerInitialize")
public func initialise(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>>>
) -> Int32 {
    // OpenSSL makes the sums of STUN.
    do throws(PeerLibraries.Missing) { try PeerLibraries.open() } catch { fail(error.description) }
    let words = (1..<Int(count.pointee)).map { String(cString: arguments.pointee[$0]) }
    switch words.first {
    case "list":
        for target in FuzzTarget.all { print(target.name) }
        exit(0)
    case "seeds" where words.count == 3:
        writeSeeds(of: target(words[1]), to: words[2])
        exit(0)
    default: chosen = target(words.first)
    }
    // libFuzzer would take the name for a folder.
    for index in 1..<Int(count.pointee) - 1 { arguments.pointee[index] = arguments.pointee[index + 1] }
    count.pointee -= 1
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    chosen.run(Array(UnsafeBufferPointer(start: data, count: count)))
    return 0
}

private func target(_ name: String?) -> FuzzTarget {
    guard let name, let target = FuzzTarget.all.first(where: { $0.name == name }) else {
        fail("there is no such target; Fuzzing list names them")
    }
    return target
}

private func writeSeeds(of target: FuzzTarget, to folder: String) {
    for (number, seed) in target.seeds().enumerated() {
        let file = open("\(folder)/seed-\(number)", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
        guard file >= 0, write(file, seed, seed.count) == seed.count else { fail("\(folder) cannot be written to") }
        close(file)
    }
}

private func fail(_ message: String) -> Never {
    _ = (message + "\n").withCString { write(STDERR_FILENO, $0, strlen($0)) }
    exit(64)
}
