"""The agent killed at random moments while it records. After each start: what was finished is as it was, at most one
group of pictures of the unfinished file is missing, the index agrees with the disk, and recording goes on."""

import hashlib
import json
import platform
import random
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness import flv
from harness.agent import REPOSITORY, Agent, synthetic_channel
from harness.archive import CLOSED, OPEN, Archive, Row
from harness.media import decode_messages
from harness.picture_code import read_codes
from harness.viewers import HTTPViewer
from harness.waiting import wait_until

SEED = 20261121
GROUP = 10
"""Pictures from one key picture to the next."""
IN_FLIGHT = 2
"""Pictures that a viewer got before the recorder's thread did: the next key picture, which ends the group, and one more."""
LONGEST_ROUND = 1.6
"""Seconds after which an agent is killed at the latest."""


@dataclass
class Figures:
    """What the full form leaves in Benchmarks/power-cuts.json."""

    cuts: int = 0
    while_starting: int = 0
    unfinished_files_closed: int = 0
    files_adopted: int = 0
    files_removed: int = 0
    rows_dropped: int = 0
    finished_files_checked: int = 0
    finished_files_damaged: int = 0
    most_pictures_missing: int = 0
    longest_recovery_seconds: float = 0
    pictures_missing: list[int] = field(default_factory=list)
    pictures_not_encoded: int = 0
    """Where the machine was too busy; they never came to be recorded."""


class PowerCuts:
    """One archive through many lives of the agent."""

    def __init__(self, start: Callable[..., Agent], folder: Path) -> None:
        self.start = start
        self.archive = Archive(folder)
        self.chance = random.Random(SEED)
        self.figures = Figures()
        self.configuration = configuration(folder)
        self.home: Path | None = None
        self.port: int | None = None
        self.sums: dict[str, str] = {}
        """Of finished files, by path."""
        self.seen: int | None = None
        """The counter of the last picture that a viewer got before the cut."""
        self.unfinished: Row | None = None

    def agent(self) -> Agent:
        agent = self.start(self.configuration, folder=self.home, port=self.port)
        self.home, self.port = agent.folder, agent.port
        return agent

    def cut(self) -> None:
        """A life that ends at a random moment."""
        agent = self.agent()
        end = time.monotonic() + self.chance.uniform(0, LONGEST_ROUND)
        if time.monotonic() + 0.2 > end:
            self.figures.while_starting += 1
            while time.monotonic() < end:
                pass
            self._kill(agent, None)
            return
        self._check_after_start(agent)
        viewer = agent.viewer()
        tags: list[flv.Tag] = []
        while time.monotonic() < end:
            tags.append(viewer.tag())
        self.figures.pictures_not_encoded += agent.overruns()
        self._kill(agent, viewer, tags)

    def _kill(self, agent: Agent, viewer: HTTPViewer | None, tags: list[flv.Tag] | None = None) -> None:
        agent.signal(signal.SIGKILL)
        agent.process.wait()
        agent.stop()
        self.figures.cuts += 1
        if viewer:
            viewer.close()
        self.seen = None
        if tags and any(tag.is_key_picture for tag in tags):
            path = agent.folder / "seen.flv"
            flv.write_file(path, tags)
            codes = [code for code in read_codes(path) if code]
            self.seen = codes[-1].counter if codes else None
        # Nobody writes now: this is what the cut left.
        rows = self.archive.rows()
        for row in rows:
            if row.state == CLOSED and self.archive.path(row).exists():
                sum = checksum(self.archive.path(row))
                if self.sums.setdefault(row.path, sum) != sum:
                    self.figures.finished_files_damaged += 1
        self.unfinished = next((row for row in rows if row.state == OPEN), None)

    def _check_after_start(self, agent: Agent) -> None:
        resumed = wait_until(lambda: self._is_recording(agent), "recording goes on", 20, 0.01)
        recovery = resumed["disk"]["recovery"]
        figures = self.figures
        figures.unfinished_files_closed += recovery["closed"]
        figures.files_adopted += recovery["adopted"]
        figures.files_removed += recovery["removed"]
        figures.rows_dropped += recovery["dropped"]
        figures.longest_recovery_seconds = max(figures.longest_recovery_seconds, recovery["seconds"])
        before, files, after = self.archive.rows(), self.archive.files(), self.archive.rows()
        known = {row.path for row in before} | {row.path for row in after}
        gone = {row.path for row in before} - {row.path for row in after}
        assert files <= known, f"files without rows: {files - known}"
        assert {row.path for row in before if row.state == CLOSED} - gone <= files, "rows without files"
        present = [row for row in after if row.state == CLOSED]
        for row in present:
            if row.path not in self.sums:
                continue
            assert checksum(self.archive.path(row)) == self.sums[row.path], row
            figures.finished_files_checked += 1
        # Retention takes the oldest, and nothing else goes.
        lost = set(self.sums) - {row.path for row in after}
        assert all(path < present[0].path for path in lost), (lost, present[0])
        for path in lost:
            del self.sums[path]
        self._check_unfinished(after)

    def _check_unfinished(self, rows: list[Row]) -> None:
        if self.unfinished is None or self.seen is None:
            return
        closed = next((row for row in rows if row.id == self.unfinished.id), None)
        last = None
        if closed:
            path = self.archive.path(closed)
            assert decode_messages(path) == "", path
            last = [code.counter for code in read_codes(path) if code][-1]
        else:
            # Nothing of it was on the disk yet; then it had just begun.
            before = [row for row in rows if row.id < self.unfinished.id]
            if before:
                last = [code.counter for code in read_codes(self.archive.path(before[-1])) if code][-1]
        if last is None or last > self.seen:
            missing = 0
        else:
            missing = self.seen - last
        self.figures.pictures_missing.append(missing)
        self.figures.most_pictures_missing = max(self.figures.most_pictures_missing, missing)
        assert missing <= GROUP + IN_FLIGHT, f"{missing} pictures of {closed} are missing"

    def _is_recording(self, agent: Agent) -> dict[str, Any] | None:
        status = agent.status().get("recording")
        return status if status and [one["state"] for one in status["streams"]] == ["recording"] else None

    def audit(self) -> None:
        """A life that ends in order, and then a look at everything."""
        agent = self.agent()
        self._check_after_start(agent)
        self.figures.pictures_not_encoded += agent.overruns()
        assert agent.terminate()[0] == 0, agent.log()
        agent.stop()
        self.seen = self.unfinished = None
        counters: list[int] = []
        holes = 0
        for row in self.archive.audit():
            path = self.archive.path(row)
            assert decode_messages(path) == "", path
            self.sums.setdefault(row.path, checksum(path))
            codes = [code.counter for code in read_codes(path) if code]
            # A new life counts from the beginning.
            if counters and codes[0] > counters[-1]:
                codes = [counters[-1], *codes]
            steps = [after - before for before, after in zip(codes, codes[1:])]
            assert all(step > 0 for step in steps), f"a picture of {path} came twice"
            holes += sum(step - 1 for step in steps)
            counters = codes
        assert holes <= self.figures.pictures_not_encoded, "a picture that was encoded is in no file"


def configuration(folder: Path) -> dict[str, Any]:
    channel = synthetic_channel(
        video={"size": "320x180"}, main={"size": "320x180", "bitrate": 300000, "keyFrameInterval": GROUP / 25},
        recording={"main": {"mode": "continuous"}, "maximumBytes": 2_000_000})
    return {"channels": [channel], "recording": {"folder": str(folder), "segmentSeconds": 1}}


def checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_killed_at_random_moments(agent: Callable[..., Agent], tmp_path: Path, full: bool) -> None:
    cuts = PowerCuts(agent, tmp_path)
    count, between = (500, 50) if full else (12, 12)
    for round in range(1, count + 1):
        cuts.cut()
        if round % between == 0:
            cuts.audit()
    figures = cuts.figures
    assert figures.finished_files_damaged == 0 and figures.cuts == count
    assert figures.unfinished_files_closed + figures.files_adopted > count / 3
    if full:
        result = {"seed": SEED, "kernel": platform.release(), "pictures of a group": GROUP, **asdict(figures)}
        (REPOSITORY / "Benchmarks" / "power-cuts.json").write_text(json.dumps(result, indent=1) + "\n")
