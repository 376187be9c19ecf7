"""What must hold all the time, and what must hold whenever nobody does anything."""

import math
import os
import re
import time
from pathlib import Path

from harness.viewers import fetch

#: Of the agent, in bytes: far above what this load needs, far below what a leak would reach.
MEMORY_LIMIT = 160 << 20
#: An answer may take so long, on a machine that is busy with the load itself.
ANSWER_SECONDS = 10
#: A warning about the world's own misdeeds is as it should be; an error never is.
ALLOWED = re.compile(r" (error|critical) .*(disk|recording|stopped for lack|no room|read-only|No space)", re.IGNORECASE)


class Invariants:
    def __init__(self, world) -> None:
        self.world = world
        self.broken: list[str] = []
        self.samples: list[dict] = []
        self.pid = world.agent.pid
        self._read_log = 0
        self.looks = 0
        self.maximum = {"residentBytes": 0, "files": 0, "threads": 0}

    def _break(self, text: str) -> None:
        if len(self.broken) < 50:
            self.broken.append(text)

    def _usage(self) -> dict:
        folder = Path(f"/proc/{self.pid}")
        status = (folder / "status").read_text()
        return {
            "residentBytes": int(re.search(r"VmRSS:\s+(\d+)", status)[1]) * 1024,
            "files": len(os.listdir(folder / "fd")),
            "threads": int(re.search(r"Threads:\s+(\d+)", status)[1]),
        }

    def look(self) -> None:
        """At any time."""
        self.looks += 1
        if self.world.agent.process.poll() is not None:
            return self._break(f"the agent has ended: {self.world.agent.process.returncode}")
        usage = self._usage()
        for name, value in usage.items():
            self.maximum[name] = max(self.maximum[name], value)
        if usage["residentBytes"] > MEMORY_LIMIT:
            self._break(f"memory: {usage}")
        try:
            began = time.monotonic()
            status, _, body = fetch(f"{self.world.agent.url}/healthz", timeout=ANSWER_SECONDS)
            if status == 503 and b"limit" not in body and b"any connections" not in body and b"full" not in body:
                self._break(f"not healthy: {body!r}")
            report = self.world.status()
            if time.monotonic() - began > ANSWER_SECONDS:
                self._break("answers take too long")
            if len(report["viewers"]) > report["viewerLimit"]:
                self._break(f"{len(report['viewers'])} viewers of {report['viewerLimit']}")
            for channel in report["channels"]:
                for stream in channel["streams"]:
                    if stream["keyFrames"] > stream["videoFrames"]:
                        self._break(f"frame counters: {stream}")
        except (OSError, AssertionError) as error:
            self._break(f"no answer: {type(error).__name__} {error}")
        self._look_at_log()

    def _look_at_log(self) -> None:
        with open(self.world.agent.log_path, "rb") as file:
            file.seek(self._read_log)
            text = file.read()
            whole = text.rfind(b"\n") + 1
            self._read_log += whole
        for line in text[:whole].decode(errors="replace").splitlines():
            if re.match(r"\S+ \S+ (error|critical) ", line) and not ALLOWED.search(line):
                self._break(f"log: {line[:300]}")
            if "Fatal error" in line or "crashed" in line:
                self._break(f"log: {line[:300]}")

    def rest(self, seconds: float) -> None:
        """Once nobody does anything: viewers are gone, and what was taken for them is given back."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            report = self.world.status()
            if not report["viewers"] and not report["pushes"] and not self.world.agent.get("/peers"):
                break
            time.sleep(0.2)
        else:
            self._break(f"does not come to rest: {len(report['viewers'])} viewers, {len(report['pushes'])} pushes")
        # Lingering encoders and feeds end by themselves.
        time.sleep(6)
        self.samples.append(self._usage() | {"time": time.monotonic()})
        self._compare_index_and_disk(deadline + 30)

    def _compare_index_and_disk(self, deadline: float) -> None:
        """Every file is in the index, and the index has no others; what is being recorded comes and goes meanwhile."""
        while True:
            known = {(file["channel"], file["name"]): file for file in self.world.agent.get("/files")}
            closed = {key for key, file in known.items() if not file["isGrowing"]}
            root = self.world.disk / "recordings"
            there = {(int(path.parts[-3].split("-")[-1]) if path.parts[-3][-1].isdigit() else -1,
                      f"{path.parts[-2]}/{path.name}"): path for path in root.rglob("*.mp4")}
            names = {name for _, name in there}
            missing = {name for _, name in closed} - names
            extra = names - {name for _, name in known}
            if not missing and not extra:
                return
            if time.monotonic() > deadline:
                return self._break(f"index and disk differ: missing {sorted(missing)[:5]}, unknown {sorted(extra)[:5]}")
            time.sleep(0.5)

    # What came of it.

    def slope(self) -> tuple[float, float]:
        """Of resident memory at rest after the first third, bytes an hour, with its 95 % confidence half-width."""
        samples = self.samples[len(self.samples) // 3:]
        if len(samples) < 4:
            return 0.0, math.inf
        x = [sample["time"] / 3600 for sample in samples]
        y = [sample["residentBytes"] for sample in samples]
        count = len(x)
        mean_x, mean_y = sum(x) / count, sum(y) / count
        spread = sum((value - mean_x) ** 2 for value in x)
        slope = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y)) / spread
        rest = sum((b - mean_y - slope * (a - mean_x)) ** 2 for a, b in zip(x, y))
        # Student's t for the degrees there are, near enough.
        width = (1.96 + 2.4 / (count - 2)) * math.sqrt(rest / (count - 2) / spread)
        return slope, width

    def line(self) -> str:
        last = self.samples[-1]
        return f"{last['residentBytes'] / 1e6:.1f} MB  {last['files']} files  {last['threads']} threads at rest" + (
            f"  BROKEN: {self.broken[0]}" if self.broken else "")

    def report(self) -> dict:
        slope, width = self.slope()
        warm = self.samples[len(self.samples) // 3:]
        files, threads = [s["files"] for s in warm], [s["threads"] for s in warm]
        # Shorter runs are warm-up.
        if len(warm) >= 12:
            # The first and the last third of what is left: a leak shows in every comparison, a moment does not.
            third = max(len(warm) // 3, 1)
            for name, values in (("files", files), ("threads", threads)):
                if min(values[-third:]) > max(values[:third]):
                    self._break(f"{name} grow: {values}")
            # Growth that is more than chance, and more than a page here and there.
            if slope - width > 0 and slope > 1 << 20:
                self._break(f"memory grows by {slope / 1e6:.1f} ± {width / 1e6:.1f} MB an hour")
        return {
            "looks": self.looks, "maximum": self.maximum,
            "atRest": {"residentBytes": [s["residentBytes"] for s in self.samples], "files": [s["files"] for s in self.samples],
                       "threads": [s["threads"] for s in self.samples]},
            "memorySlopeBytesPerHour": round(slope), "slopeHalfWidth": None if math.isinf(width) else round(width),
        }
