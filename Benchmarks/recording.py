"""What recording costs, and how an index of 100,000 segments answers and starts."""

import argparse
import datetime
import random
import signal
import sqlite3
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from figures import Result, cpu_by_thread, summary
from harness.agent import Agent, merge, synthetic_channel
from harness.archive import Archive
from harness.picture_code import write_noisy_file
from harness.recordings import Recordings
from harness.waiting import wait_until

SEGMENT_SECONDS, BITRATE = 60, 2_000_000
ARCHIVE_SEGMENTS, ARCHIVE_SEGMENT_SECONDS = 100_000, 300


def bench_recording(options: argparse.Namespace) -> tuple[Result, dict[str, Any]]:
    result = Result()
    with tempfile.TemporaryDirectory(prefix="bench-recording-", dir=options.scratch) as folder:
        cost = recording_cost(result, Path(folder), options.recording_seconds)
    with tempfile.TemporaryDirectory(prefix="bench-archive-", dir=options.scratch) as folder:
        archive = large_archive(result, Path(folder), options.queries)
    return result, {"cost": cost, "archive": archive}


def channel() -> dict[str, Any]:
    return synthetic_channel(recording={"main": {"mode": "continuous"}})


def busy_channel(video: Path) -> dict[str, Any]:
    """Its pictures use up the bitrate, as a camera's do."""
    write_noisy_file(video, 640, 360, 100)
    return merge(channel(), {"video": {"source": "file", "file": str(video), "size": "640x360"}, "overlay": False,
                             "main": {"size": "640x360", "bitrate": BITRATE}})


# What it costs.

def written_bytes(pid: int) -> int:
    """What a process has had written to disks, by the kernel's count: whole pages, as often as they were written."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes:"))


def media_bytes(path: Path) -> int:
    """All frames of a file, as ffprobe sees them."""
    sizes = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "packet=size", "-of", "csv=p=0", str(path)],
                           capture_output=True, text=True, check=True).stdout.split()
    return sum(int(size.strip(",")) for size in sizes)


def recording_cost(result: Result, folder: Path, seconds: int) -> dict[str, Any]:
    archive = Archive(folder / "recordings")
    agent = Agent({"channels": [busy_channel(folder / "noisy.y4m")],
                   "recording": {"folder": str(archive.folder), "segmentSeconds": SEGMENT_SECONDS}})

    def wait_for(count: int) -> tuple[float, float, float, int]:
        """Just after the end of a file, when nothing is held in memory."""
        wait_until(lambda: len(archive.closed()) >= count, f"{count} files", (count + 1) * SEGMENT_SECONDS + 30, 0.01)
        threads = cpu_by_thread(agent.pid)
        return time.monotonic(), threads["recorder"], sum(threads.values()), written_bytes(agent.pid)

    try:
        before = wait_for(1)
        first = archive.closed()[-1]
        after = wait_for(1 + max(1, seconds // SEGMENT_SECONDS))
        rows = [row for row in archive.closed() if row.id > first.id]
    finally:
        agent.stop()
    media = sum(media_bytes(archive.path(row)) for row in rows)
    files = sum(row.size for row in rows)
    agent.remove()
    elapsed, recorder, whole, written = (late - early for early, late in zip(before, after))
    result.add("recording: CPU of the recorder, an hour", recorder / elapsed * 3600, None, None, "s")
    result.add("recording: bytes of files, a byte of media", files / media, None, 1.03, "")
    result.add("recording: bytes to the disk, a byte of media", written / media, None, 1.03, "")
    return {"seconds": elapsed, "recorderSeconds": recorder, "allThreadsSeconds": whole, "mediaBytes": media,
            "fileBytes": files, "writtenBytes": written, "segmentSeconds": SEGMENT_SECONDS, "files": len(rows)}


# A large archive.

def large_archive(result: Result, folder: Path, queries: int) -> dict[str, Any]:
    configuration = {"channels": [channel()], "recording": {"folder": str(folder), "segmentSeconds": 300}}
    agent = Agent(configuration)
    try:
        wait_until(lambda: Archive(folder).rows(), "a first file", 20)
        agent.terminate()
        agent.stop()
        rows = fill(folder)
        clean = start_time(configuration, agent, lambda one: one.terminate())
        crashed = [start_time(configuration, agent, kill) for _ in range(3)]
        last = Agent(configuration, folder=agent.folder, port=agent.port)
        try:
            # The one before was killed.
            crashed.append(disk_when_ready(last)["recovery"]["seconds"])
            figures = ask(last, rows, queries)
        finally:
            last.stop()
    finally:
        agent.remove()
    result.add("archive of 100,000: start after an end in order", clean, None, 1, "s")
    result.add("archive of 100,000: start after a crash, most", max(crashed[1:]), None, 5, "s")
    for name, summary in figures.items():
        result.add(f"archive of 100,000: {name}, p99", summary["p99"], None, 10, "ms")
    return {"cleanStart": clean, "startsAfterCrash": crashed[1:], "queries": figures}


def fill(folder: Path) -> list[tuple[int, str]]:
    """Rows of a year of recording that ends now, and files for the day that is in use."""
    database = sqlite3.connect(folder / "index.sqlite")
    (template,) = database.execute("SELECT channel, stream, kind, boot FROM segment").fetchall()[:1]
    channel, stream, kind, boot = template
    (first,) = database.execute("SELECT MIN(start_ms) FROM segment").fetchone()
    length = ARCHIVE_SEGMENT_SECONDS * 1000
    chance = random.Random(1)
    today = datetime.datetime.now().strftime("%Y%m%d")
    rows, days = [], set()
    for number in range(ARCHIVE_SEGMENTS):
        start = first - (ARCHIVE_SEGMENTS - number) * length
        name = datetime.datetime.fromtimestamp(start / 1000).strftime("%Y%m%d/%H%M%S") + f"-main-{number:08x}.mp4"
        size = chance.randrange(70_000_000, 80_000_000)
        rows.append((number + 1, channel, stream, name, kind, 1, size, start, start + length, 0, length * 1_000_000,
                     boot[:8] + number.to_bytes(8, "big"), 1))
        days.add(name[:8])
        if name.startswith(today):
            path = folder / f"channel-{channel}" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "wb") as file:
                file.truncate(size)
    with database:
        # The ids are those of recording in this order, before what is there.
        database.execute("UPDATE segment SET id = id + ?", (ARCHIVE_SEGMENTS,))
        database.executemany(
            "INSERT INTO segment (id, channel, stream, name, kind, state, size, start_ms, end_ms, media_start, media_end, "
            "boot, trusted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        database.executemany("INSERT OR IGNORE INTO folder VALUES (?, ?, 0)", [(channel, day) for day in sorted(days)])
    database.close()
    return [(row[7], row[3]) for row in rows]


def disk_when_ready(agent: Agent) -> dict[str, Any]:
    return wait_until(lambda: (one := agent.status()["recording"]["disk"])["state"] == "ready" and one,
                      "the recording disk is open", 60)


def kill(agent: Agent) -> None:
    wait_until(lambda: agent.status()["recording"]["streams"][0]["state"] == "recording", "recording", 20)
    agent.signal(signal.SIGKILL)
    agent.process.wait()


def start_time(configuration: dict[str, Any], home: Agent, end: Any) -> float:
    """Seconds from the recorder's first look at the disk to its readiness."""
    agent = Agent(configuration, folder=home.folder, port=home.port)
    try:
        seconds = disk_when_ready(agent)["recovery"]["seconds"]
        end(agent)
        return seconds
    finally:
        agent.stop()


def ask(agent: Agent, rows: list[tuple[int, str]], count: int) -> dict[str, dict[str, float]]:
    """Milliseconds from the request to its answer's last byte, over HTTP, each on a connection of its own."""
    recordings = Recordings(agent)
    chance = random.Random(2)
    day = 86_400

    def timed(cmd: str, **parameters: Any) -> float:
        started = time.monotonic()
        reply = recordings.command(cmd, **parameters)
        spent = (time.monotonic() - started) * 1000
        assert "video_list" in reply or "file_list" in reply, reply
        return spent

    def some_time() -> int:
        return chance.choice(rows)[0] // 1000

    times: dict[str, list[float]] = {"days of a month": [], "segments of an hour": [], "files of a day": []}
    for _ in range(count):
        month = datetime.datetime.fromtimestamp(some_time()).strftime("%Y%m")
        times["days of a month"].append(timed("get_month_record", time=month))
        start = some_time()
        times["segments of an hour"].append(timed("get_record_index", start_time=start, end_time=start + 3600))
        start = some_time() // day * day
        times["files of a day"].append(
            timed("get_file_list", start_time=start, end_time=start + day - 1, file_type=0))
    return {name: summary(values) for name, values in times.items()}
