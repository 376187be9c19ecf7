import Glibc

/// How many mutated inputs each fuzz test tries: a million, or what EDGE_AGENT_FUZZ_ROUNDS says, for slow machines.
package enum FuzzRounds {
    package static let count = getenv("EDGE_AGENT_FUZZ_ROUNDS").flatMap { Int(String(cString: $0)) } ?? 1_000_000
}
