import CSQLite
import Glibc

/// What the disk, or the index on it, refused.
package struct StorageFailure: Error, Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        /// No room, or no room for this user.
        case full
        case readOnly
        /// The disk is not there, or another one is.
        case missing
        /// A file is not there, or already is.
        case noSuchFile
        case fileExists
        /// The index cannot be read any more.
        case damagedIndex
        /// Anything else: an error of the device, most of the time.
        case failed
    }

    package let kind: Kind
    /// What was being done, with which file, and why it failed.
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }

    init(_ action: String, _ path: String, errno code: Int32) {
        kind =
            switch code {
            case ENOSPC, EDQUOT: .full
            case EROFS: .readOnly
            case ENOENT: .noSuchFile
            case EEXIST: .fileExists
            default: .failed
            }
        description = "\(action) \(path): \(String(cString: strerror(code)))"
    }

    init(_ error: SQLiteError) {
        kind =
            switch error.primaryCode {
            case SQLITE_FULL: .full
            case SQLITE_READONLY: .readOnly
            case SQLITE_CORRUPT, SQLITE_NOTADB: .damagedIndex
            default: .failed
            }
        description = "\(error)"
    }
}
