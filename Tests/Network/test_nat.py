"""Viewers behind routers of every kind. Each combination connects, and each that can be direct is; a table says how and
how fast. Takes root, since it makes networks of its own."""

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness.agent import Agent, synthetic_channel
from harness.network import PASSWORD, PORT, SERVER, USER, Internet, Router, run

PROGRAM = Path(__file__).parent.parent / "EndToEnd" / "harness" / "peer_program.py"
LABEL = "GET ipc.flv?action=live&channel=0&quality=high"
SECONDS = 2.0
LOSSES = (0, 1, 5)


@pytest.fixture(scope="module")
def internet() -> Iterator[Internet]:
    internet = Internet()
    yield internet
    internet.remove()


def device_in(internet: Internet, relay: str, **changes: Any) -> Agent:
    return Agent(
        {
            **changes, "channels": [synthetic_channel()],
            "peers": {"addresses": [], "stun": f"{SERVER}:{PORT}", "relays": [f"turn:{SERVER}:{PORT}?transport={relay}"],
                      "relayUser": USER, "relayPassword": PASSWORD},
        }, prefix=["ip", "netns", "exec", internet.device])


def connect(
        internet: Internet, device: Agent, transport: str, during: Callable[[], None] | None = None) -> dict[str, Any]:
    """One viewer for a moment. `during` happens in the middle; then the viewer ends without a word."""
    viewer = subprocess.Popen(
        ["ip", "netns", "exec", internet.viewer, sys.executable, str(PROGRAM), str(SECONDS),
         f"stun:{SERVER}:{PORT}" if transport == "udp" else "", f"turn:{SERVER}:{PORT}?transport={transport}", USER,
         PASSWORD, LABEL], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert viewer.stdin and viewer.stdout
    try:
        offer = json.loads(viewer.stdout.readline())["offer"]
        # Whatever brings offers and answers, it is not what is looked at here.
        answer = run("curl", "-sS", "-H", "Content-Type: application/sdp", "--data-binary", "@-",
                     f"http://127.0.0.1:{device.port}/p2p", namespace=internet.device, text=offer)
        viewer.stdin.write(json.dumps({"answer": answer}) + "\n")
        viewer.stdin.flush()
        result = json.loads(viewer.stdout.readline())
        result["link"] = device.get("/peers")[-1]
        if during:
            during()
            viewer.kill()
        return result
    finally:
        viewer.stdin.close()
        viewer.wait(10)


def can_be_direct(device: str, viewer: str) -> bool:
    # Who lets through only what it spoke to before must know where to speak to; of a symmetric router nobody does.
    return "noUDP" not in (device, viewer) and "symmetric" not in (device, viewer)


def test_every_pair_of_routers(internet: Internet, pytestconfig: pytest.Config) -> None:
    rows = []
    losses = LOSSES if pytestconfig.getoption("--full") else LOSSES[:1]
    for at_device, at_viewer in itertools.product(Router.KINDS, repeat=2):
        internet.routers["device"].become(at_device)
        internet.routers["viewer"].become(at_viewer)
        device = device_in(internet, "tcp" if at_device == "noUDP" else "udp")
        try:
            for loss in losses:
                internet.lose(loss)
                result = connect(internet, device, "tcp" if at_viewer == "noUDP" else "udp")
                link = result["link"]
                rows.append((at_device, at_viewer, loss, "relayed" if link["isRelayed"] else "direct",
                             link.get("connectMilliseconds"), result["firstPicture"], result["bytes"],
                             can_be_direct(at_device, at_viewer), result["state"], result["largestDatagram"]))
                print(rows[-1], link, flush=True)
        finally:
            internet.lose(0)
            device.stop()
            device.remove()
    print(f"\n{'device':10} {'viewer':10} {'loss':>5} {'way':8} {'link ms':>8} {'first picture ms':>17}")
    for at_device, at_viewer, loss, way, connected, picture, *_ in rows:
        shown = f"{1000 * picture:.0f}" if picture is not None else "none"
        print(f"{at_device:10} {at_viewer:10} {loss:4}% {way:8} {connected or '':>8} {shown:>17}")
    for row in rows:
        assert row[5] is not None, f"no picture: {row}"
        assert (row[3] == "direct") == row[7], row
        # IPv6 carries 1280 with its headers wherever it goes.
        assert 1150 < row[9] <= 1200, row
