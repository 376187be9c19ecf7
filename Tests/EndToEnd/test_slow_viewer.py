"""One viewer that reads nothing, among fifty that read."""

import selectors
import threading
import time
from pathlib import Path

from harness.agent import synthetic_channel
from harness.viewers import HTTPViewer
from harness.waiting import wait_until

READERS = 50
QUEUE = 4 << 20


class Readers:
    """Reads all viewers in one thread; keeps of each tag only its kind, time and length."""

    def __init__(self, viewers: list[HTTPViewer]) -> None:
        self.viewers = viewers
        self.seen: list[list[tuple[int, int, int]]] = [[] for _ in viewers]
        self.error: BaseException | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        selector = selectors.DefaultSelector()
        for index, viewer in enumerate(self.viewers):
            selector.register(viewer.connection.socket, selectors.EVENT_READ, index)
            self._take(index, [viewer.connection.pending])
            viewer.connection.pending = b""
        try:
            while not self._stop.is_set():
                for key, _ in selector.select(0.2):
                    self._take(key.data, self.viewers[key.data].pieces())
        except BaseException as error:  # noqa: BLE001 - looked at by the test
            self.error = error

    def _take(self, index: int, pieces: list[bytes]) -> None:
        for piece in pieces:
            for tag in self.viewers[index].reader.feed(piece):
                self.seen[index].append((tag.kind, tag.timestamp, len(tag.body)))

    def stop(self) -> list[list[tuple[int, int, int]]]:
        self._stop.set()
        self._thread.join(10)
        if self.error:
            raise self.error
        return self.seen


def test_one_stalled_among_fifty(agent, tmp_path: Path, full: bool) -> None:
    seconds = 60 if full else 20
    one = agent({
        "channels": [synthetic_channel(overlay=False)],
        # No time limit that bites before the bytes do.
        "server": {"viewerLimit": READERS + 1, "viewerQueue": {"bytes": QUEUE, "seconds": 10}}})
    readers = Readers([one.viewer() for _ in range(READERS)])
    wait_until(lambda: all(len(seen) > 100 for seen in readers.seen), "all have read a while", 30)
    before = one.resident_bytes()
    stalled = one.viewer(receive_buffer=4096)
    stalled_address = "{}:{}".format(*stalled.connection.socket.getsockname())
    started = time.monotonic()
    most = 0

    def over() -> bool:
        nonlocal most
        most = max(most, one.resident_bytes())
        assert readers.error is None, readers.error
        return time.monotonic() - started > seconds

    wait_until(over, "the time has passed", seconds + 10, 0.25)
    reports = one.viewers()
    stream = one.status()["channels"][0]["streams"][0]
    seen = readers.stop()
    print(f"the agent grew by {(most - before) / 1e6:.2f} MB for a queue of {QUEUE / 1e6:.2f} MB")
    assert most - before <= QUEUE
    assert stream["overruns"] == 0
    # The agent's own count, and the readers': the same tags for all, at one pace, without a hole.
    good = [report for report in reports if report["remote"] != stalled_address]
    assert len(good) == READERS and all(report["framesDropped"] == 0 for report in good)
    lines = []
    for tags in seen:
        pictures = [(timestamp, length) for kind, timestamp, length in tags if kind == 9][1:]
        assert {b[0] - a[0] for a, b in zip(pictures, pictures[1:])} <= {39, 40, 41}
        assert len(pictures) >= seconds * 25
        lines.append([length for _, length in pictures])
    common = lines[0][50:-75]
    for line in lines:
        text = ",".join(map(str, line))
        assert ",".join(map(str, common)) in text
    # The stalled one has lost frames, or was closed already for taking nothing.
    late = [report for report in reports if report["remote"] == stalled_address]
    assert all(report["framesDropped"] > 0 and report["queuedBytes"] <= QUEUE for report in late)
    stalled.close()
