import CSQLite

/// A value in the database.
package enum SQLiteValue: Sendable, Hashable {
    case null
    case integer(Int64)
    case text(String)
    case blob([UInt8])

    package static func integer(_ value: Int) -> SQLiteValue { .integer(Int64(value)) }
    package static func bool(_ value: Bool) -> SQLiteValue { .integer(value ? 1 as Int64 : 0) }
}

/// A prepared statement: bound, stepped through, and let go. Must not outlive its database.
package struct SQLiteStatement: ~Copyable {
    private let handle: OpaquePointer
    private let database: OpaquePointer
    private let sql: String

    init(_ sql: String, in database: OpaquePointer) throws(SQLiteError) {
        var handle: OpaquePointer?
        let code = sqlite3_prepare_v2(database, sql, -1, &handle, nil)
        guard code == SQLITE_OK, let handle else { throw SQLiteError(code, "preparing \(sql)", handle: database) }
        self.handle = handle
        self.database = database
        self.sql = sql
    }

    deinit { sqlite3_finalize(handle) }

    /// Starts the statement over with new values for its parameters, the first of which has number 1.
    package borrowing func bind(_ values: [SQLiteValue]) throws(SQLiteError) {
        sqlite3_reset(handle)
        for (index, value) in values.enumerated() {
            let code = bind(value, at: Int32(index + 1))
            guard code == SQLITE_OK else { throw SQLiteError(code, "binding to \(sql)", handle: database) }
        }
    }

    private borrowing func bind(_ value: SQLiteValue, at index: Int32) -> Int32 {
        switch value {
        case .null: return sqlite3_bind_null(handle, index)
        case .integer(let number): return sqlite3_bind_int64(handle, index, number)
        case .text(let text):
            return text.utf8.withContiguousStorageIfAvailable { utf8 in
                utf8.withMemoryRebound(to: CChar.self) {
                    csqlite_bind_text(handle, index, $0.baseAddress, Int32($0.count))
                }
            } ?? csqlite_bind_text(handle, index, text, -1)
        case .blob(let bytes):
            return bytes.withUnsafeBytes { csqlite_bind_blob(handle, index, $0.baseAddress, Int32($0.count)) }
        }
    }

    /// True for a row, false at the end.
    package borrowing func step() throws(SQLiteError) -> Bool {
        switch sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw SQLiteError(code, sql, handle: database)
        }
    }

    // Columns of the current row count from 0. What has another type is converted, as SQLite does.

    package borrowing func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(handle, column) }
    package borrowing func int(_ column: Int32) -> Int { Int(sqlite3_column_int64(handle, column)) }
    package borrowing func bool(_ column: Int32) -> Bool { sqlite3_column_int64(handle, column) != 0 }
    package borrowing func isNull(_ column: Int32) -> Bool { sqlite3_column_type(handle, column) == SQLITE_NULL }

    package borrowing func text(_ column: Int32) -> String {
        sqlite3_column_text(handle, column).map { String(cString: $0) } ?? ""
    }

    package borrowing func blob(_ column: Int32) -> [UInt8] {
        let count = Int(sqlite3_column_bytes(handle, column))
        guard count > 0, let bytes = sqlite3_column_blob(handle, column) else { return [] }
        return Array(UnsafeRawBufferPointer(start: bytes, count: count))
    }
}
