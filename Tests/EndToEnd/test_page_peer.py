"""The page with everything over peer-to-peer links, in Debian's Chromium; what comes of it is looked at where it happens:
at the head, at the speaker, in the recording's bytes."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from harness import tickets
from harness.agent import Agent, synthetic_channel
from harness.recordings import Recordings
from harness.talk import SPEAKER_RATE, Speaker, wait_until_free
from harness.waiting import wait_until
from playwright.sync_api import Browser, Page, sync_playwright

from conftest import CHROMIUM, FAKE_MICROPHONE

# Loopback is the only network here; see Documentation/Testing.md.
LOOPBACK = ["--allow-loopback-in-peer-connection", "--disable-features=WebRtcHideLocalIpsWithMdns"]
PLAYING = """(count) => globalThis.edgeAgentPage?.tiles.length === count
    && edgeAgentPage.tiles.every((tile) => tile.state === "playing")"""
SMALL = {"size": "320x180", "frameRate": 25, "preset": "ultrafast", "bitrate": 300000, "keyFrameInterval": 2}
# Of a size that takes a while to fetch.
LARGE = {"size": "640x360", "frameRate": 25, "preset": "ultrafast", "bitrate": 20_000_000, "keyFrameInterval": 2}


@pytest.fixture(scope="module")
def peer_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", *LOOPBACK, *FAKE_MICROPHONE])
        yield browser
        browser.close()


@pytest.fixture
def page(peer_browser: Browser) -> Iterator[Page]:
    context = peer_browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    # What goes another way than over the link: nothing but the page itself, the list of channels, and the offer.
    page.requests = []  # type: ignore[attr-defined]
    page.on("request", lambda request: page.requests.append(request.url))  # type: ignore[attr-defined]
    page.on("websocket", lambda socket: page.requests.append(socket.url))  # type: ignore[attr-defined]
    yield page
    context.close()
    assert not mistakes, mistakes


def paths(page: Page) -> set[str]:
    """What was asked for over HTTP and WebSockets, but for the page's own files."""
    asked = {url.split("?")[0].rsplit("/", 1)[-1] for url in page.requests if not url.startswith("blob:")}  # type: ignore[attr-defined]
    return {name for name in asked if name and "." not in name or name == "ipc.flv"}


def wait_for_pictures(page: Page, count: int = 1) -> None:
    page.wait_for_function(PLAYING, arg=count, timeout=30_000)
    before = page.evaluate("() => edgeAgentPage.tiles.map((tile) => tile.video.currentTime)")
    page.wait_for_function(
        "(before) => edgeAgentPage.tiles.every((tile, index) => tile.video.currentTime > before[index] + 1)", arg=before)


def transports(device: Agent) -> set[str]:
    return {viewer["transport"] for viewer in device.viewers()}


def test_a_click_leads_over_a_link_and_back(agent: Callable[..., Agent], page: Page) -> None:
    device = agent({"channels": [synthetic_channel(sub=SMALL)]})
    page.goto(device.url)
    wait_for_pictures(page)
    assert transports(device) == {"websocket"} and not device.get("/peers")
    button = page.locator("#way")
    button.click()
    page.wait_for_selector('#way[data-state="connected"]')
    wait_for_pictures(page)
    wait_until(lambda: transports(device) == {"peer"}, "the stream over the link alone", 10)
    page.wait_for_function("() => document.querySelector('#way').title.startsWith('Linked directly')")
    # The choice is remembered.
    page.reload()
    wait_for_pictures(page)
    assert transports(device) == {"peer"}
    button.click()
    wait_for_pictures(page)
    wait_until(lambda: transports(device) == {"websocket"} and not device.get("/peers"), "no link", 20)


def test_two_tiles_of_one_channel(agent: Callable[..., Agent], page: Page) -> None:
    device = agent({"channels": [synthetic_channel(sub=SMALL)]})
    page.goto(f"{device.url}/?p2p&tiles=0,0")
    wait_for_pictures(page, 2)
    assert [viewer["transport"] for viewer in device.viewers()] == ["peer", "peer"]
    page.close()
    wait_until(lambda: not device.viewers() and not device.get("/peers"), "nobody", 20)


def test_the_head_turns(agent: Callable[..., Agent], page: Page) -> None:
    device = agent({"channels": [synthetic_channel(0, sub=SMALL, ptz={"driver": "simulated", "timeLimit": 1})]})

    def head() -> dict[str, Any]:
        return device.get("/channels")[0]["ptz"]

    page.goto(f"{device.url}/?p2p")
    wait_for_pictures(page)
    page.locator(".tile .aim").click()
    page.locator('.pad [data-way="left"]').hover()
    page.mouse.down()
    wait_until(lambda: head()["moving"], "the head moves", 5)
    begun = head()["pan"]
    # Past its time limit, since the page says "go on".
    wait_until(lambda: head()["pan"] < begun - 15, "the head is elsewhere", 20)
    assert head()["moving"]
    page.mouse.up()
    wait_until(lambda: not head()["moving"], "the head rests", 10)
    assert head()["stops"].get("timeLimit", 0) == 0 and head()["stops"]["command"] >= 1
    assert paths(page) == {"p2p"}, "all went over the link"
    # A page that dies holds nothing.
    page.mouse.down()
    wait_until(lambda: head()["moving"], "the head moves", 5)
    page.close()
    wait_until(lambda: not head()["moving"], "the head rests", 10)


def test_a_voice_is_heard(agent: Callable[..., Agent], page: Page, tmp_path: Path) -> None:
    speaker = Speaker(tmp_path)
    device = agent({**speaker.configuration, "channels": [synthetic_channel(sub=SMALL)]}, environment=speaker.environment)
    page.goto(f"{device.url}/?p2p")
    wait_for_pictures(page)
    button = page.locator("#talk")
    button.click()
    page.wait_for_selector('#talk[data-state="talking"]')
    wait_until(lambda: device.status()["talkback"]["talk"]["playedMilliseconds"] > 2500, "the page's sound is played", 15)
    # The fake microphone beeps: there is sound, and there is silence between.
    heard = np.abs(speaker.heard())
    assert np.count_nonzero(heard > 500) > SPEAKER_RATE // 20, "nothing is heard"
    assert np.count_nonzero(heard < 100) > SPEAKER_RATE // 4
    # Somebody else is told why he cannot.
    other = page.context.new_page()
    other.goto(f"{device.url}/?p2p")
    other.locator("#talk").click()
    other.wait_for_selector("#talk-state:not([hidden])")
    assert "somebody else is talking" in other.locator("#talk-state").inner_text()
    other.close()
    button.click()
    page.wait_for_selector('#talk[data-state="idle"]')
    wait_until_free(device)
    # What the device ends is said.
    button.click()
    page.wait_for_selector('#talk[data-state="talking"]')
    assert device.request("DELETE", "/talk")[0] == 200
    page.wait_for_selector("#talk-state:not([hidden])")
    assert "hung up" in page.locator("#talk-state").inner_text()
    assert "voice" not in paths(page)


# Ends the link in the middle of the file, from the device's side, as soon as something of it has come; then tells how often
# the download was begun, and where.
BREAK = """async () => {
    const { viewer } = await import("/edge-agent-viewer.js");
    const offsets = [];
    const start = viewer.startLocalDownload;
    viewer.startLocalDownload = function (id, parameters, callbacks) {
        offsets.push(parameters.offset);
        return start.call(this, id, parameters, callbacks);
    };
    globalThis.offsets = offsets;
    const watch = setInterval(() => {
        const download = edgeAgentPage.timeline.download;
        if (!download || download.bytes === 0) return;
        clearInterval(watch);
        fetch(viewer.services.get("device-0").resource, { method: "DELETE" });
    }, 1);
}"""


def test_a_recording_is_downloaded_over_a_link_that_breaks(
        agent: Callable[..., Agent], page: Page, noisy_video: Path, tmp_path: Path) -> None:
    channel = synthetic_channel(
        video={"source": "file", "file": str(noisy_video), "size": "640x360"}, main=LARGE, sub=SMALL, audio=None,
        recording={"main": {"mode": "continuous"}})
    device = agent({"channels": [channel], "recording": {"segmentSeconds": 10, "folder": str(tmp_path)}})
    recordings = Recordings(device)
    file = recordings.wait_for_files(1)[0]
    page.goto(f"{device.url}/?p2p&tiles=0")
    wait_for_pictures(page)
    page.get_by_role("button", name="Recordings").click()
    page.locator(".bars span").first.wait_for()
    box = page.locator(".track").first.bounding_box()
    share = page.evaluate("(moment) => edgeAgentPage.timeline.share(moment)", file.start + 2)
    page.mouse.click(box["x"] + share * box["width"], box["y"] + box["height"] / 2)
    page.locator(".save").wait_for()
    page.evaluate(BREAK)
    with page.expect_download(timeout=60_000) as download:
        page.locator(".save").click()
    assert download.value.suggested_filename == file.name.replace("/", "-")
    assert Path(download.value.path()).read_bytes() == recordings.path(file).read_bytes()
    offsets = page.evaluate("() => offsets")
    print(f"{file.bytes} bytes, asked for from {offsets}")
    assert len(offsets) >= 2 and offsets[0] == 0 and 0 < offsets[-1] < file.bytes, offsets
    assert paths(page) <= {"p2p"} | {url.rsplit("/", 1)[-1] for url in page.requests if "/p2p/" in url}


def test_a_device_that_wants_tickets(agent: Callable[..., Agent], page: Page) -> None:
    device = agent({"channels": [synthetic_channel(sub=SMALL)], "peers": {"ticketKey": tickets.KEY}})
    page.goto(f"{device.url}/?p2p")
    page.get_by_text("a ticket is needed to connect").wait_for()
    page.wait_for_selector('#way[data-state="failed"]')
    ticket = device.edgectl("p2p", "ticket").stdout.strip()
    page.goto(f"{device.url}/?p2p&again#ticket={ticket}")
    wait_for_pictures(page)
    assert transports(device) == {"peer"}
