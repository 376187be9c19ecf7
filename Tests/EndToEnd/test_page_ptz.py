"""The page's pad for heads that turn, in a real browser, with a simulated head."""

from typing import Any

from harness.agent import Agent, synthetic_channel
from harness.waiting import wait_until
from playwright.sync_api import Locator, Page

TIME_LIMIT = 1
"""Seconds after which the head stops unless it is told again; shorter than any hold here."""


def head(agent: Agent) -> dict[str, Any]:
    return agent.get("/channels")[0]["ptz"]


def is_moving(agent: Agent) -> bool:
    return head(agent)["moving"]


def rests(agent: Agent, why: str) -> None:
    wait_until(lambda: not is_moving(agent), f"the head rests: {why}", 10)


def stops(agent: Agent, cause: str) -> int:
    return head(agent)["stops"].get(cause, 0)


def open_pad(agent: Agent, page: Page) -> Locator:
    page.goto(agent.url)
    page.wait_for_selector(".tile .aim")
    tiles = page.locator(".tile")
    assert tiles.nth(0).locator(".aim").is_visible() and not tiles.nth(1).locator(".aim").is_visible()
    tiles.nth(0).locator(".aim").click()
    pad = tiles.nth(0).locator(".pad")
    pad.wait_for(state="visible")
    return pad


def start(agent: Any) -> Agent:
    return agent({"channels": [
        synthetic_channel(0, ptz={"driver": "simulated", "timeLimit": TIME_LIMIT}), synthetic_channel(1)]})


def test_the_pad_moves_for_as_long_as_it_is_held(agent, page: Page) -> None:
    one = start(agent)
    pad = open_pad(one, page)
    page.locator('.pad [data-way="left"]').first.hover()
    page.mouse.down()
    wait_until(lambda: is_moving(one), "the head moves", 5)
    begun = head(one)["pan"]
    # Past the time limit, since it is renewed; to no end of its travel.
    page.wait_for_timeout(2.5 * TIME_LIMIT * 1000)
    assert is_moving(one) and head(one)["pan"] < begun
    page.mouse.up()
    rests(one, "let go")
    assert stops(one, "timeLimit") == 0 and stops(one, "command") >= 1
    # Keys, as long as they are down.
    pad.locator('[data-way="up"]').focus()
    for key in ("ArrowRight", "ArrowUp", "+"):
        page.keyboard.down(key)
        wait_until(lambda: is_moving(one), f"{key} moves the head", 5)
        page.keyboard.up(key)
        rests(one, f"{key} is up")
    # What takes the page's attention away lets go.
    for event in ("window.dispatchEvent(new Event('blur'))", "document.dispatchEvent(new Event('visibilitychange'))"):
        pad.locator('[data-way="down"]').hover()
        page.mouse.down()
        wait_until(lambda: is_moving(one), "the head moves", 5)
        page.evaluate(event)
        rests(one, event)
        page.mouse.up()
    assert stops(one, "timeLimit") == 0


def test_presets(agent, page: Page) -> None:
    one = start(agent)
    presets = open_pad(one, page).locator(".presets")
    page.wait_for_function("() => document.querySelector('.presets').options.length > 1")
    presets.select_option("set 1")
    wait_until(lambda: head(one)["presets"] == [1], "the place is kept", 5)
    place = head(one)["pan"]
    page.locator('.pad [data-way="right"]').first.hover()
    page.mouse.down()
    wait_until(lambda: (head(one)["pan"] or 0) > place + 3, "the head is elsewhere", 10)
    page.mouse.up()
    rests(one, "let go")
    presets.select_option("call 1")
    wait_until(lambda: abs(head(one)["pan"] - place) < 0.6 and not is_moving(one), "the head is back", 20)
    presets.select_option("clear 1")
    wait_until(lambda: head(one)["presets"] == [], "the place is forgotten", 5)


def test_a_page_that_is_gone_holds_nothing(agent, page: Page) -> None:
    one = start(agent)
    open_pad(one, page)
    page.locator('.pad [data-way="left"]').first.hover()
    page.mouse.down()
    wait_until(lambda: is_moving(one), "the head moves", 5)
    page.close()
    rests(one, "the page is gone")
    assert stops(one, "holderLost") + stops(one, "command") >= 1
