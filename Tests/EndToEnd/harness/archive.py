"""A recording folder seen from outside: its index, its files, and whether the two agree."""

import sqlite3
import struct
from dataclasses import dataclass
from pathlib import Path

OPEN, CLOSED, DELETING = range(3)


@dataclass(frozen=True)
class Row:
    """A segment in the index. Times are milliseconds since 1970."""

    id: int
    channel: int
    stream: int
    name: str
    state: int
    size: int
    start: int
    end: int

    @property
    def path(self) -> str:
        return f"channel-{self.channel}/{self.name}"


class Archive:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def _ask(self, query: str) -> list[tuple]:
        database = sqlite3.connect(f"file:{self.folder}/index.sqlite?mode=ro", uri=True, timeout=10)
        try:
            return database.execute(query).fetchall()
        finally:
            database.close()

    def rows(self) -> list[Row]:
        """In the order of their times."""
        if not (self.folder / "index.sqlite").exists() or not self._ask("SELECT 1 FROM sqlite_master LIMIT 1"):
            return []
        return [Row(*row) for row in self._ask(
            "SELECT id, channel, stream, name, state, size, start_ms, end_ms FROM segment "
            "ORDER BY channel, stream, start_ms, id")]

    def closed(self) -> list[Row]:
        return [row for row in self.rows() if row.state == CLOSED]

    def gaps(self) -> list[tuple[int, int, str]]:
        return self._ask("SELECT start_ms, end_ms, cause FROM gap ORDER BY start_ms")

    def totals(self) -> dict[int, tuple[int, int]]:
        """Segments and bytes by channel, as the index keeps them."""
        return {channel: (segments, size)
                for channel, segments, size in self._ask("SELECT channel, segments, bytes FROM total") if segments}

    def path(self, row: Row) -> Path:
        return self.folder / row.path

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.glob("channel-*/*/*.mp4")}

    def audit(self) -> list[Row]:
        """Rows and files agree to the byte, nothing overlaps; while nothing is being recorded."""
        rows = self.rows()
        assert all(row.state == CLOSED for row in rows), rows
        assert {row.path for row in rows} == self.files()
        for row in rows:
            assert self.path(row).stat().st_size == row.size, row
            assert top_boxes(self.path(row)) == ["ftyp", "uuid", "mdat", "moov"], row
        for before, after in zip(rows, rows[1:]):
            if (before.channel, before.stream) == (after.channel, after.stream):
                assert before.end <= after.start, (before, after)
        totals: dict[int, tuple[int, int]] = {}
        for row in rows:
            segments, size = totals.get(row.channel, (0, 0))
            totals[row.channel] = (segments + 1, size + row.size)
        assert self.totals() == totals
        assert self._ask("PRAGMA integrity_check") == [("ok",)]
        return rows


def top_boxes(path: Path) -> list[str]:
    """The types of a file's outermost boxes (ISO/IEC 14496-12, 4.2)."""
    types = []
    length, offset = path.stat().st_size, 0
    with open(path, "rb") as file:
        while offset < length:
            file.seek(offset)
            header = file.read(16)
            size, kind = struct.unpack_from(">I4s", header)
            if size == 1:
                (size,) = struct.unpack_from(">Q", header, 8)
            types.append(kind.decode("latin-1"))
            if size < 8 or offset + size > length:
                types.append("beyond the end")
                break
            offset += size
    return types
