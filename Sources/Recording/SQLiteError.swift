import CSQLite

/// What SQLite refused, in its own words.
package struct SQLiteError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The extended result code, such as SQLITE_IOERR_FSYNC.
    package let code: Int32
    package let action: String
    package let message: String

    init(_ code: Int32, _ action: String, handle: OpaquePointer?) {
        let text = handle.map { sqlite3_errmsg($0) } ?? sqlite3_errstr(code)
        self.code = handle.map { sqlite3_extended_errcode($0) } ?? code
        self.action = action
        message = text.map { String(cString: $0) } ?? "result code \(code)"
    }

    /// The result code without its extension, such as SQLITE_IOERR.
    package var primaryCode: Int32 { code & 0xFF }

    package var description: String { "the index: \(action): \(message) (\(code))" }
}
