"""Viewers for whom there is no place are sent to a media service, and come back."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness.agent import Agent, free_port, synthetic_channel
from harness.media_service import MediaService
from harness.peer import Peer
from harness.viewers import fetch
from harness.waiting import wait_until

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
