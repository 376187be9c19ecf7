import CSQLite

/// One connection to a SQLite database, for one thread at a time. A thin layer: SQL goes in, rows come out.
package struct SQLiteDatabase: ~Copyable {
    private let handle: OpaquePointer

    /// Waits this long, in milliseconds, for another connection's transaction.
    static let busyTimeout: Int32 = 2000

    /// - Parameter path: of the file, which is made where it is missing; ":memory:" is a database in memory.
    package init(path: String) throws(SQLiteError) {
        var handle: OpaquePointer?
        // Each connection belongs to one thread at a time, so SQLite needs no lock of its own.
        let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &handle, flags, nil)
        guard code == SQLITE_OK, let handle else {
            let error = SQLiteError(code, "opening \(path)", handle: handle)
            sqlite3_close_v2(handle)
            throw error
        }
        self.handle = handle
        sqlite3_busy_timeout(handle, Self.busyTimeout)
    }

    deinit { sqlite3_close_v2(handle) }

    package borrowing func prepare(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
        try SQLiteStatement(sql, in: handle)
    }

    /// Runs one statement to its end.
    package borrowing func run(_ sql: String, _ values: SQLiteValue...) throws(SQLiteError) {
        let statement = try prepare(sql)
        try statement.bind(values)
        while try statement.step() {}
    }

    /// Runs several statements without parameters.
    package borrowing func script(_ sql: String) throws(SQLiteError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw SQLiteError(code, sql, handle: handle) }
    }

    /// The rows of a query, each as `read` makes it of the statement's current row.
    package borrowing func rows<Row>(
        _ sql: String, _ values: SQLiteValue..., read: (borrowing SQLiteStatement) -> Row
    ) throws(SQLiteError) -> [Row] {
        let statement = try prepare(sql)
        try statement.bind(values)
        var rows: [Row] = []
        while try statement.step() { rows.append(read(statement)) }
        return rows
    }

    /// The first row of a query.
    package borrowing func row<Row>(
        _ sql: String, _ values: SQLiteValue..., read: (borrowing SQLiteStatement) -> Row
    ) throws(SQLiteError) -> Row? {
        let statement = try prepare(sql)
        try statement.bind(values)
        return try statement.step() ? read(statement) : nil
    }

    /// All that `body` does comes to pass, or nothing.
    package borrowing func transaction<Result>(
        _ body: () throws(SQLiteError) -> Result
    ) throws(SQLiteError) -> Result {
        try script("BEGIN IMMEDIATE")
        do throws(SQLiteError) {
            let result = try body()
            try script("COMMIT")
            return result
        } catch {
            // Where SQLite has rolled back by itself, there is nothing left to do.
            try? script("ROLLBACK")
            throw error
        }
    }

    /// The id of the row that was inserted last.
    package var lastInsertedID: Int64 { sqlite3_last_insert_rowid(handle) }
    /// How many rows the last statement changed.
    package var changes: Int { Int(sqlite3_changes64(handle)) }
}
