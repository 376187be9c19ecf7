"""A network that changes in the middle: the link is gone, the next one takes less than the patience of who watches, and the
place of the old one is free again."""

import time
from collections.abc import Iterator

import pytest
from harness.agent import Agent
from harness.network import Internet, run
from harness.waiting import wait_until

from test_nat import connect, device_in

KEEP_ALIVE = 25


@pytest.fixture
def internet() -> Iterator[Internet]:
    internet = Internet()
    yield internet
    internet.remove()


def move(internet: Internet, side: str) -> None:
    """Another address behind the same router, as after a change from one network to another."""
    number, host = (1, internet.device) if side == "device" else (2, internet.viewer)
    run("ip", "addr", "flush", "dev", "eth0", namespace=host)
    run("ip", "addr", "add", f"10.{number}.0.77/24", "dev", "eth0", namespace=host)
    run("ip", "route", "replace", "default", "via", f"10.{number}.0.1", namespace=host)


@pytest.mark.parametrize("side", ["device", "viewer"])
def test_an_address_goes_and_another_comes(internet: Internet, side: str) -> None:
    device = device_in(internet, "udp", server={"viewerLimit": 1})
    try:
        def during() -> None:
            move(internet, side)
        # The old link is not ended by anybody: its viewer is cut off with its address.
        first = connect(internet, device, "udp", during=during)
        assert first["firstPicture"] is not None
        moved = time.monotonic()
        wait_until(lambda: not device.viewers(), "the old viewer's place", KEEP_ALIVE)
        print(f"free again {time.monotonic() - moved:.1f} s after the last picture was counted")
        second = connect(internet, device, "udp")
        assert second["firstPicture"] is not None and second["firstPicture"] < 5
    finally:
        device.stop()
        device.remove()
