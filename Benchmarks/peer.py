"""What links cost beside HTTP, how late pictures are on a path that takes its time and loses some, and how long it takes to
connect. The viewer is Debian's Chromium with the device's own library."""

import argparse
import base64
import itertools
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from figures import Result, cpu_by_thread, pause, summary
from harness import flv, picture_code
from harness.agent import Agent, noisy_channel
from harness.flv import Reader, Tag
from harness.viewers import Collector
from harness.waiting import wait_until
from playwright.sync_api import Page, sync_playwright

TOOLS = Path(__file__).resolve().parent.parent / ".build" / "benchmarks"
SCRIPT = Path(__file__).with_suffix(".js")
VIEWERS, BITRATE, FRAME_RATE = 4, 4_000_000, 25
FILE_SECONDS = 10
SUB_BITRATE = 500_000
# One way, in microseconds; there and back it is 5 and 40 ms.
DELAYS = (2_500, 20_000)
LOSSES = (0, 1, 5)
FIRST_PORT, PORTS = 21_000, 64
LATE = 500
"""Milliseconds; what comes later is no path that the stream has settled on."""
SETTLING = 10
"""Seconds that it may take at most, as long as the device waits before it tries the main stream again: that counts."""
LIVE = "/ipc.flv?action=live&channel=0&quality=high"


@contextmanager
def device(scratch: Path | None) -> Iterator[Agent]:
    """With a main stream that uses up its 4 Mbit/s, and a sub stream as by default."""
    with tempfile.TemporaryDirectory(prefix="bench-peer-", dir=scratch) as folder:
        video = Path(folder) / "noisy.y4m"
        picture_code.write_noisy_file(video, 640, 360, FILE_SECONDS * FRAME_RATE)
        channel = noisy_channel(video, BITRATE, sub={"size": "640x360", "preset": "ultrafast", "bitrate": SUB_BITRATE})
        agent = Agent({"channels": [channel], "server": {"viewerLimit": 64},
                       "peers": {"limit": PORTS, "ports": f"{FIRST_PORT}-{FIRST_PORT + PORTS - 1}"}})
        try:
            yield agent
        finally:
            agent.remove()


class Links:
    """Viewers of an agent in one page of a browser."""

    def __init__(self, page: Page, agent: Agent) -> None:
        self.page = page
        page.goto(f"{agent.url}/edge-agent-viewer.js")
        page.evaluate(SCRIPT.read_text())
        self.offset = self._measure_offset()

    @classmethod
    @contextmanager
    def browser(cls, agent: Agent) -> Iterator["Links"]:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium",
                args=["--no-sandbox", "--allow-loopback-in-peer-connection",
                      "--disable-features=WebRtcHideLocalIpsWithMdns"])
            yield cls(browser.new_page(), agent)
            browser.close()

    def _measure_offset(self) -> float:
        """Seconds from the page's clock to the monotonic one, from the question that was answered soonest."""
        best = (float("inf"), 0.0)
        for _ in range(50):
            before = time.monotonic()
            page = self.page.evaluate("() => performance.now()") / 1000
            after = time.monotonic()
            best = min(best, (after - before, (before + after) / 2 - page))
        return best[1]

    def open(self, name: str, **options: Any) -> None:
        self.page.evaluate("([id, options]) => links.open(id, options)", [name, options])

    def close(self, name: str) -> None:
        self.page.evaluate("(id) => links.close(id)", name)

    def bytes(self, names: list[str]) -> int:
        return sum(self.page.evaluate("(ids) => links.bytes(ids)", names))

    def take(self, name: str, reader: Reader) -> tuple[float, list[Tag]]:
        """When the offer left, and the tags that came since the last time; seconds of the monotonic clock."""
        got = self.page.evaluate("(id) => links.take(id)", name)
        data, position, tags = base64.b64decode(got["data"]), 0, []
        for arrival, length in zip(got["times"], got["lengths"]):
            tags += reader.feed(data[position:position + length], arrival / 1000 + self.offset)
            position += length
        return got["offered"] / 1000 + self.offset, tags


@contextmanager
def path(delay: int, loss: int) -> Iterator[None]:
    process = subprocess.Popen([TOOLS / "path", str(delay), str(10 * loss), str(FIRST_PORT), str(PORTS)],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    try:
        assert process.stdout.readline() == b"ready\n"
        yield
    finally:
        process.stdin.close()
        process.wait(5)


# cost ----------------------------------------------------------------------------------------------------------------

def is_delivery(thread: str) -> bool:
    return thread.startswith("NIO-ELT") or thread == "peers"


def spent_in(agent: Agent, seconds: float, count: Any) -> dict[str, Any]:
    """CPU seconds a second of the threads that deliver, and of the whole agent; and what was delivered."""
    pause(3)  # What a new viewer is given at once is not the steady state.
    started, before, bytes_before = time.monotonic(), cpu_by_thread(agent.pid), count()
    pause(seconds)
    after, bytes_after, length = cpu_by_thread(agent.pid), count(), time.monotonic() - started
    spent = {name: (after[name] - before.get(name, 0)) / length for name in after}
    return {"megabits": (bytes_after - bytes_before) * 8e-6 / length,
            "delivery": sum(share for name, share in spent.items() if is_delivery(name)), "whole": sum(spent.values()),
            "threads": {name: round(share, 5) for name, share in spent.items() if share > 0}}


def bench_cost(options: argparse.Namespace, result: Result, load: Any) -> dict[str, Any]:
    turns: list[dict[str, Any]] = []
    names = [f"viewer{number}" for number in range(VIEWERS)]
    with device(options.scratch) as agent, Links.browser(agent) as links:
        for _ in range(options.peer_rounds):
            viewers = load(agent.port, VIEWERS, LIVE)
            http = spent_in(agent, options.peer_seconds, viewers.bytes)
            viewers.close()
            wait_until(lambda: not agent.viewers(), "the viewers' end", 20)
            for name in names:
                links.open(name)
            peers = spent_in(agent, options.peer_seconds, lambda: links.bytes(names))
            for name in names:
                links.close(name)
            wait_until(lambda: not agent.viewers(), "the viewers' end", 20)
            turns.append({"http": http, "links": peers})
    for key, label, goal in (("delivery", "delivering", 6), ("whole", "whole agent", None)):
        ours, theirs = (statistics.median(turn[way][key] for turn in turns) for way in ("links", "http"))
        result.add(f"peer: CPU, {VIEWERS} viewers, {label}, links to HTTP", 100 * ours, 100 * theirs, goal, "% core")
    return {"turns": turns}


# delay ---------------------------------------------------------------------------------------------------------------

def first_index(tags: list[Tag], folder: Path) -> int:
    """Which picture of the file the first one is."""
    first = next(i for i, tag in enumerate(tags) if tag.is_key_picture)
    file = folder / "first.flv"
    flv.write_file(file, [tag for tag in tags[:first] if tag.is_video_setup][-1:] + [tags[first]])
    return picture_code.read_codes(file)[0].counter


def beginning(agent: Agent, folder: Path) -> float:
    """When the camera's file began, modulo its length: seconds of the monotonic clock. Found by a viewer over HTTP on the
    same machine, so it is late by what the encoder takes where it is quickest, a few milliseconds."""
    viewer = Collector(agent.viewer())
    pause(6)
    tags = viewer.finish()
    index = first_index(tags, folder)
    pictures = [tag for tag in tags if tag.is_picture]
    return min(tag.arrival - tag.timestamp / 1000 for tag in pictures[FRAME_RATE:]) - index / FRAME_RATE


def picture_delays(tags: list[Tag], begin: float, folder: Path) -> list[tuple[float, float]]:
    """Of each picture the seconds in the stream, and the milliseconds from its capture to the arrival of its last byte."""
    base = begin + first_index(tags, folder) / FRAME_RATE
    return [(tag.timestamp / 1000, 1000 * ((tag.arrival - base - tag.timestamp / 1000) % FILE_SECONDS))
            for tag in tags if tag.is_picture]


def changes(tags: list[Tag]) -> list[float]:
    """When the viewer was given another of the channel's streams: seconds in the stream."""
    return [tag.timestamp / 1000 for tag in tags if tag.is_video_setup][1:]


def settled(delays: list[tuple[float, float]], changed: list[float]) -> float:
    """The seconds until the path's stream is found and nothing is late any more. What the device tries later counts."""
    return max([at for at, delay in delays if delay > LATE and at < SETTLING] + [at for at in changed if at < SETTLING],
               default=0.0)


def bench_delay(options: argparse.Namespace, result: Result, _: Any) -> list[dict[str, Any]]:
    cells = []
    with device(options.scratch) as agent, Links.browser(agent) as links, tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # Somebody always watches, so the camera goes on.
        with agent.viewer() as steady:
            keep = Collector(steady)
            for delay, loss in itertools.product(DELAYS, LOSSES):
                begin = beginning(agent, folder)
                with path(delay, loss):
                    links.open("viewer", ports=PORTS, keep=True)
                    pause(options.peer_delay_seconds)
                    levels = [viewer["stream"] for viewer in agent.viewers() if viewer["transport"] == "peer"]
                    _, tags = links.take("viewer", Reader())
                    links.close("viewer")
                delays = picture_delays(tags, begin, folder)
                changed = changes(tags)
                after = settled(delays, changed)
                calm = [(at, delay) for at, delay in delays if at > after]
                times = [at for at, _ in calm]
                cell = {"roundTrip": 2 * delay / 1000, "loss": loss, "settledSeconds": after, "changes": changed,
                        "lastStream": levels,
                        "picturesPerSecond": round(len(calm) / (times[-1] - times[0]), 1),
                        "longestHole": round(max(b - a for a, b in zip(times, times[1:])), 2),
                        "delay": summary([delay for _, delay in calm])}
                cells.append(cell)
                print(f"  {cell}", flush=True)
                label = f"peer: delay, {cell['roundTrip']:g} ms, {loss} % loss"
                result.add(f"{label}, median", cell["delay"]["median"], None, None, "ms")
                result.add(f"{label}, p99", cell["delay"]["p99"], None, 1000 if loss else 150, "ms")
                result.add(f"{label}, settled after", after, None, None, "s")
            keep.finish()
    return cells


# connecting ----------------------------------------------------------------------------------------------------------

def connect(links: Links, name: str) -> float:
    """Milliseconds from the offer to the last byte of the first picture."""
    links.open(name, ports=PORTS, keep=True)
    reader = Reader()
    while True:
        offered, tags = links.take(name, reader)
        for tag in tags:
            if tag.is_key_picture:
                return 1000 * (tag.arrival - offered)


def bench_connect(options: argparse.Namespace, result: Result, _: Any) -> list[dict[str, Any]]:
    cells = []
    with device(options.scratch) as agent, Links.browser(agent) as links, agent.viewer() as steady:
        keep = Collector(steady)
        for delay, loss in itertools.product(DELAYS, (0, 5)):
            with path(delay, loss):
                times = []
                for number in range(options.peer_connections):
                    times.append(connect(links, f"link{number}"))
                    links.close(f"link{number}")
            cell = {"roundTrip": 2 * delay / 1000, "loss": loss, "times": summary(times)}
            cells.append(cell)
            print(f"  {cell}", flush=True)
            label = f"peer: offer to picture, {cell['roundTrip']:g} ms, {loss} % loss"
            result.add(f"{label}, median", cell["times"]["median"], None, None, "ms")
            result.add(f"{label}, p99", cell["times"]["p99"], None, 2000 if loss else 500, "ms")
        keep.finish()
    return cells


PARTS = {"cost": bench_cost, "delay": bench_delay, "connect": bench_connect}


def bench_peer(options: argparse.Namespace, load: Any) -> tuple[Result, dict[str, Any]]:
    result = Result()
    details = {name: PARTS[name](options, result, load) for name in options.peer_parts}
    return result, details
