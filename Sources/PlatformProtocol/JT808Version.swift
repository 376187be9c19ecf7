/// Which edition of JT/T 808 a terminal speaks: decides headers, some bodies and, by default, how long the SIM number
/// in media packets is.
package enum JT808Version: String, Sendable, Hashable, CaseIterable {
    /// 2011 and 2013.
    case v2013 = "2013"
    case v2019 = "2019"

    /// Digits of a terminal's number, two a byte.
    package var phoneBytes: Int { self == .v2013 ? 6 : 10 }
}
