"""The page on a device that wants a token, with Debian's Chromium."""

import json
from collections.abc import Callable

import pytest
from harness.agent import Agent, synthetic_channel
from harness.viewers import HTTPViewer, ViewerRefused, WebSocketViewer
from playwright.sync_api import Page, expect

PLAYING = "() => edgeAgentPage.tiles.length > 0 && edgeAgentPage.tiles.every((tile) => tile.state === 'playing')"


@pytest.fixture
def device(agent: Callable[..., Agent]) -> Agent:
    return agent({"channels": [synthetic_channel(ptz={"driver": "simulated"})], "access": {"open": False}})


def tokens(device: Agent) -> dict[str, str]:
    shown = json.loads(device.edgectl("access", "show", "--keep", "--json").stdout)
    return {one["name"]: one["token"] for one in shown}


def test_the_page_asks_for_a_token_once(device: Agent, page: Page) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("websocket", lambda socket: requests.append(socket.url))
    page.goto(device.url)
    sign_in = page.locator("#sign-in")
    expect(sign_in).to_be_visible()
    page.fill("#token", "wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#sign-in-refusal")).to_contain_text("not valid")
    token = tokens(device)["admin"]
    page.fill("#token", token)
    page.keyboard.press("Enter")
    expect(sign_in).to_be_hidden()
    page.wait_for_function(PLAYING, timeout=20_000)
    # The pad's orders go with the token too.
    page.locator(".aim").first.click()
    page.wait_for_function("() => edgeAgentPage.tiles[0].pad.last.then((reply) => reply !== null)")
    # The tab remembers it.
    page.reload()
    page.wait_for_function(PLAYING, timeout=20_000)
    assert not page.context.cookies()
    assert not any(token in url for url in requests), "a token stands in an address"
    assert any("ticket=" in url for url in requests if url.startswith("ws"))


def test_an_address_of_the_page_that_is_good_for_a_while(device: Agent, page: Page) -> None:
    address = device.edgectl("access", "url", "--page", "--seconds", "60").stdout.strip()
    assert address.startswith(f"{device.url}/#token=")
    page.goto(address)
    page.wait_for_function(PLAYING, timeout=20_000)
    assert "token" not in page.url


def test_over_a_link(device: Agent, page: Page) -> None:
    page.goto(f"{device.url}/?p2p#token={tokens(device)['viewer']}")
    page.wait_for_function(PLAYING, timeout=20_000)
    assert device.get("/peers")[0]["state"] == "open"


def test_an_address_for_players(device: Agent) -> None:
    address = device.edgectl("access", "url", "--channel", "0", "--seconds", "60").stdout.strip()
    HTTPViewer(address).read_seconds(0.5)
    WebSocketViewer(address).read_seconds(0.5)
    for wrong in (address.replace("action=live", "action=playback&start_time=1&end_time=99"), address[:-2]):
        with pytest.raises(ViewerRefused):
            HTTPViewer(wrong)
    # After a reset it is worth nothing any more.
    assert device.edgectl("access", "reset").returncode == 0
    with pytest.raises(ViewerRefused) as refused:
        HTTPViewer(address)
    assert refused.value.status == 401
