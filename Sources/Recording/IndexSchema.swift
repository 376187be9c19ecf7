/// The tables of the index.
enum IndexSchema {
    /// In PRAGMA user_version. An index of another version is set aside and built anew from the files.
    static let version = 1

    /// WAL: readers and the writer do not wait for each other, and a cut-off transaction is not there.
    /// FULL: a committed transaction survives a power cut. There are few, so it costs little.
    static let setUp = """
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA journal_size_limit = 4194304;
        PRAGMA temp_store = MEMORY;
        """

    static let create = """
        CREATE TABLE segment (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            channel INTEGER NOT NULL,
            stream INTEGER NOT NULL,
            name TEXT NOT NULL,
            kind INTEGER NOT NULL,
            state INTEGER NOT NULL,
            size INTEGER NOT NULL,
            start_ms INTEGER NOT NULL,
            end_ms INTEGER NOT NULL,
            media_start INTEGER NOT NULL,
            media_end INTEGER NOT NULL,
            boot BLOB NOT NULL,
            trusted INTEGER NOT NULL,
            protected INTEGER NOT NULL DEFAULT 0,
            damaged INTEGER NOT NULL DEFAULT 0,
            sample_offset INTEGER,
            sample_length INTEGER,
            sample_sum INTEGER
        );
        CREATE UNIQUE INDEX segment_name ON segment (channel, name);
        CREATE INDEX segment_time ON segment (channel, stream, start_ms);
        CREATE INDEX segment_deletable ON segment (channel, start_ms) WHERE state = 1 AND protected = 0;
        CREATE INDEX segment_unfinished ON segment (state) WHERE state <> 1;
        CREATE INDEX segment_boot ON segment (boot) WHERE trusted = 1;

        CREATE TABLE gap (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            channel INTEGER NOT NULL,
            stream INTEGER NOT NULL,
            start_ms INTEGER NOT NULL,
            end_ms INTEGER NOT NULL,
            cause TEXT NOT NULL
        );
        CREATE INDEX gap_time ON gap (channel, stream, start_ms);

        -- Day folders, and whether what lies in them is known to agree with the rows.
        CREATE TABLE folder (
            channel INTEGER NOT NULL,
            day TEXT NOT NULL,
            state INTEGER NOT NULL,
            PRIMARY KEY (channel, day)
        ) WITHOUT ROWID;
        CREATE INDEX folder_unsettled ON folder (state) WHERE state <> 0;

        -- What each channel holds; always the sums over its rows.
        CREATE TABLE total (
            channel INTEGER PRIMARY KEY,
            segments INTEGER NOT NULL,
            bytes INTEGER NOT NULL
        );
        CREATE TRIGGER segment_added AFTER INSERT ON segment BEGIN
            INSERT INTO total VALUES (NEW.channel, 1, NEW.size)
            ON CONFLICT (channel) DO UPDATE SET segments = segments + 1, bytes = bytes + NEW.size;
        END;
        CREATE TRIGGER segment_resized AFTER UPDATE OF size ON segment BEGIN
            UPDATE total SET bytes = bytes + NEW.size - OLD.size WHERE channel = NEW.channel;
        END;
        CREATE TRIGGER segment_dropped AFTER DELETE ON segment BEGIN
            UPDATE total SET segments = segments - 1, bytes = bytes - OLD.size WHERE channel = OLD.channel;
        END;

        -- Recordings on command, which outlive the agent.
        CREATE TABLE command (
            channel INTEGER NOT NULL,
            stream INTEGER NOT NULL,
            until_ms INTEGER,
            PRIMARY KEY (channel, stream)
        ) WITHOUT ROWID;

        CREATE TABLE session (clean INTEGER NOT NULL);
        INSERT INTO session VALUES (1);
        """
}
