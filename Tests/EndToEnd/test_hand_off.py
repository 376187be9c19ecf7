"""Viewers for whom there is no place are sent to a media service, and come back."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from harness.agent import Agent, free_port, synthetic_channel
from harness.media_service import MediaService
from harness.peer import Peer
from harness.viewers import HTTPViewer, ViewerRefused, fetch
from harness.waiting import wait_until

# What the service itself takes: a segment ends with the next key picture, and a player wants one that is whole.
SEGMENT_SECONDS = 2
PATIENCE_SECONDS = 3
LINGER_SECONDS = 3
VIEWER_URL = "http://media.example/live/{channel}-{stream}.flv"


@pytest.fixture
def connect() -> Iterator[Callable[[Agent], Peer]]:
    peers: list[Peer] = []

    def start(agent: Agent) -> Peer:
        peers.append(Peer(agent.url))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()


def full_device(agent: Callable[..., Agent], port: int, **hand_off: Any) -> Agent:
    return agent({
        "channels": [synthetic_channel()], "server": {"viewerLimit": 1},
        "handOff": {"target": f"rtmp://127.0.0.1:{port}/live/{{channel}}-{{stream}}", "viewerURL": VIEWER_URL,
                    "lingerSeconds": 2, **hand_off},
    })


def test_the_first_too_many_has_the_stream_pushed(
        agent: Callable[..., Agent], connect: Callable[[Agent], Peer],
        media_service: Callable[..., MediaService]) -> None:
    service = media_service()
    device = full_device(agent, service.port)
    first = connect(device).request("GET ipc.flv?action=live&channel=0&quality=high")
    assert first.status == 200
    # Over a data channel and over HTTP alike, and for both by one push.
    others = [connect(device) for _ in range(3)]
    answers = [other.request("GET ipc.flv?action=live&channel=0&quality=high") for other in others]
    for answer in answers:
        assert answer.status == 302 and answer.headers["Location"] == "http://media.example/live/0-main.flv"
    status, headers, _ = fetch(f"{device.url}/ipc.flv?action=live&channel=0&quality=high")
    assert status == 302 and headers["location"] == "http://media.example/live/0-main.flv"
    (push,) = device.pushes()
    assert push["state"] == "publishing"
    (state,) = others[0].command("action=inner_define&channel=0&cmd=get_device_st&type=live&quality=high")
    assert state["status"] == "405" and state["handOff"] == "http://media.example/live/0-main.flv"
    first.read_seconds(1)
    # Long after the last hand-off the push goes on while there is no place.
    first.read_seconds(4)
    assert device.pushes()[0]["state"] == "publishing"
    first.close()
    wait_until(lambda: not [one for one in device.pushes() if one["state"] != "closed"], "the push's end", 10)
    assert others[0].request("GET ipc.flv?action=live&channel=0&quality=high").status == 200


def test_a_service_that_is_away(agent: Callable[..., Agent], connect: Callable[[Agent], Peer]) -> None:
    device = full_device(agent, free_port(), patienceSeconds=1)
    first = connect(device).request("GET ipc.flv?action=live&channel=0")
    assert first.status == 200
    other = connect(device)
    assert other.request("GET ipc.flv?action=live&channel=0").status == 503
    # Nobody who watches notices, and the link of who asked is as before.
    assert first.read_seconds(1)
    assert other.command("action=inner_define&channel=0&cmd=get_device_st&type=live")[0]["status"] == "405"
    assert not [one for one in device.pushes() if one["state"] != "closed"]


@dataclass
class Crowd:
    """What ten viewers saw that come and go as they like."""

    device: Agent
    seconds: float
    away: list[tuple[float, float]] = field(default_factory=list)
    """When the media service was gone, and its patience after it."""
    direct: list[float] = field(default_factory=list)
    handed: list[float] = field(default_factory=list)
    """Seconds from asking to where to go."""
    shown: list[float] = field(default_factory=list)
    """Seconds from there to a whole segment."""
    refused: list[float] = field(default_factory=list)
    """When somebody heard that there is no place."""
    problems: list[str] = field(default_factory=list)

    def run(self, during: Callable[[float], None]) -> None:
        self.end = time.monotonic() + self.seconds
        threads = [threading.Thread(target=self._viewer, args=(number,), daemon=True) for number in range(10)]
        for thread in threads:
            thread.start()
        while time.monotonic() < self.end:
            self._look()
            during(self.end - time.monotonic())
            time.sleep(0.1)
        for thread in threads:
            thread.join(30)

    def _look(self) -> None:
        if (count := len(self.device.viewers())) > 2:
            self.problems.append(f"{count} watch directly")
        pushes = [push for push in self.device.pushes() if push["state"] != "closed"]
        if len(pushes) > 1:
            self.problems.append(f"{len(pushes)} pushes: {pushes}")

    def _viewer(self, number: int) -> None:
        chance = random.Random(number)
        while time.monotonic() < self.end:
            time.sleep(chance.uniform(0, 5))
            try:
                (self._over_a_link if number % 3 == 0 else self._over_http)(chance)
            except Exception as error:  # noqa: BLE001 - one viewer's trouble is told at the end
                if not self._is_away():
                    self.problems.append(f"viewer {number}: {type(error).__name__}: {error}")

    def _is_away(self) -> bool:
        now = time.monotonic()
        return any(begin <= now <= end for begin, end in self.away)

    def _over_http(self, chance: random.Random) -> None:
        asked = time.monotonic()
        try:
            with HTTPViewer(self.device.live_url()) as viewer:
                viewer.read_until(lambda tag: tag.is_picture)
                self.direct.append(time.monotonic() - asked)
                viewer.read_seconds(chance.uniform(1, 8))
        except ViewerRefused as answer:
            location = fetch(self.device.live_url())[1].get("location") if answer.status == 302 else None
            self._elsewhere(asked, answer.status, location, chance)

    def _over_a_link(self, chance: random.Random) -> None:
        peer = Peer(self.device.url)
        try:
            asked = time.monotonic()
            request = peer.request("GET ipc.flv?action=live&channel=0&quality=high")
            if request.status == 200:
                while not request.tag().is_picture:
                    pass
                self.direct.append(time.monotonic() - asked)
                request.read_seconds(chance.uniform(1, 8))
            else:
                self._elsewhere(asked, request.status, request.headers.get("Location"), chance)
        finally:
            peer.close()

    def _elsewhere(self, asked: float, status: int, location: str | None, chance: random.Random) -> None:
        now = time.monotonic()
        if status == 503:
            self.refused.append(now)
            return
        assert status == 302, status
        if location is None:
            # A place came free between two questions.
            return
        self.handed.append(now - asked)
        # A playlist that an earlier push left is as good as any: what counts is that new segments come.
        known = fetch(location)[2]
        while time.monotonic() < now + 20:
            status, _, playlist = fetch(location)
            if status == 200 and playlist != known:
                segment = playlist.decode().strip().split("\n")[-1]
                assert len(fetch(location.rsplit("/", 1)[0] + "/" + segment)[2]) > 1000
                self.shown.append(time.monotonic() - now)
                time.sleep(chance.uniform(1, 8))
                return
            time.sleep(0.1)
            if self._is_away():
                return
        raise AssertionError(f"no picture from the service in 20 s: {status}")


def test_ten_viewers_come_and_go(
        agent: Callable[..., Agent], media_service: Callable[..., MediaService], full: bool) -> None:
    service = media_service()
    device = agent({
        "channels": [synthetic_channel(main={"size": "640x360", "bitrate": 500000, "keyFrameInterval": 1},
                                       video={"size": "640x360"})],
        "server": {"viewerLimit": 2},
        "handOff": {"target": f"rtmp://127.0.0.1:{service.port}/live/{{channel}}-{{stream}}",
                    "viewerURL": f"http://127.0.0.1:{service.http_port}/hls/{{channel}}-{{stream}}.m3u8",
                    "lingerSeconds": LINGER_SECONDS, "patienceSeconds": PATIENCE_SECONDS},
    })
    crowd = Crowd(device, 300 if full else 30)
    half = crowd.seconds / 2

    def kill_the_service(left: float) -> None:
        now = time.monotonic()
        if left < half and not crowd.away:
            service.kill()
            crowd.away.append((now, now + 5 + PATIENCE_SECONDS + 12))
        elif crowd.away and service.process is None and now > crowd.away[0][0] + 5:
            service.start()

    crowd.run(kill_the_service)
    print(f"direct {len(crowd.direct)}, picture after {max(crowd.direct):.2f} s at most; handed on {len(crowd.handed)}, "
          f"after {max(crowd.handed):.2f} s at most; refused {len(crowd.refused)} while the service was away; "
          f"a segment after {max(crowd.shown):.2f} s at most")
    assert not crowd.problems, crowd.problems
    assert max(crowd.direct) < 2 and max(crowd.handed) < 2 + PATIENCE_SECONDS
    assert all(any(begin <= when <= end for begin, end in crowd.away) for when in crowd.refused)
    wait_until(lambda: not [push for push in device.pushes() if push["state"] != "closed"], "the push's end",
               LINGER_SECONDS + 5)
