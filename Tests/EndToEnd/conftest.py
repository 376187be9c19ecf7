"""Fixtures of the end-to-end tests. They drive the programs in .build/release (or $EDGE_AGENT_PROGRAMS)."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parent))

from harness.agent import PROGRAMS, Agent  # noqa: E402
from harness.media_service import MediaService, PostReceiver, PublishHook  # noqa: E402
from harness.picture_code import write_noisy_file  # noqa: E402
from harness.recordings import RECORDED, Recordings  # noqa: E402
from harness.rtmp import Service  # noqa: E402
from harness.terminal import archive, media_port, platform, terminal, variants, version  # noqa: E402, F401


# A microphone that beeps once a second, and nobody who must be asked for it.
FAKE_MICROPHONE = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="the long forms: minutes where the short ones take seconds")
    parser.addoption("--update-screenshot", action="store_true", help="save the page's picture to Documentation")


# They measure time, or need the machine for themselves; all others may run two at once (`Scripts/test` does so).
ALONE = {
    "test_page.py", "test_slow_viewer.py", "test_sync.py", "test_talk.py", "test_idle_agent_rests",
    "test_ten_viewers_come_and_go", "test_twenty_downloads_while_recording_and_live_lose_no_frame",
    "test_slow_link_lowers_the_bitrate",
}


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "alone: must not run beside other tests")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.name in ALONE or item.name.split("[")[0] in ALONE:
            item.add_marker("alone")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "variant" in metafunc.fixturenames:
        metafunc.parametrize("variant", variants(metafunc.config.getoption("--full")), ids=str)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    outcome = yield
    setattr(item, f"report_{call.when}", outcome.get_result())


@pytest.fixture
def full(request: pytest.FixtureRequest) -> bool:
    return request.config.getoption("--full")


def _failed(request: pytest.FixtureRequest) -> bool:
    return any(getattr(getattr(request.node, f"report_{when}", None), "failed", False) for when in ("setup", "call"))


@pytest.fixture
def agent(request: pytest.FixtureRequest) -> Iterator[Callable[..., Agent]]:
    """Starts agents: `agent({"channels": […]})` gives one that is ready; see harness/agent.py."""
    if not (PROGRAMS / "edge-agent").exists():
        pytest.fail(f"{PROGRAMS}/edge-agent is not built: swift build -c release")
    agents: list[Agent] = []

    def start(configuration: dict[str, Any] | str | None = None, **arguments: Any) -> Agent:
        agents.append(Agent(configuration, **arguments))
        return agents[-1]

    yield start
    for one in agents:
        one.stop()
        if _failed(request):
            request.node.add_report_section(
                "call", f"log of agent {one.pid}",
                f"{one.configuration_path.read_text()}\n{one.log()[-20000:]}\nexit status {one.process.returncode}")
    # Some share a folder.
    for one in agents:
        one.remove()


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agent]:
    """One agent that records all the while; three files are closed. For tests that change nothing about it."""
    folder = str(tmp_path_factory.mktemp("recorded"))
    agent = Agent({**RECORDED, "recording": {**RECORDED["recording"], "folder": folder}})
    try:
        Recordings(agent).wait_for_files(3)
        yield agent
    finally:
        print(agent.log()[-20000:])
        agent.remove()


@pytest.fixture
def media_service(request: pytest.FixtureRequest) -> Iterator[Callable[..., MediaService]]:
    """Starts nginx with its RTMP module: `media_service()`; see harness/media_service.py."""
    services: list[MediaService] = []

    def start(**arguments: Any) -> MediaService:
        services.append(MediaService(**arguments))
        return services[-1]

    yield start
    for service in services:
        if _failed(request):
            request.node.add_report_section("call", "log of nginx", service.log()[-8000:])
        service.remove()


@pytest.fixture
def publish_hook() -> Iterator[PublishHook]:
    """Refuses each publisher, until its `status` is set to 200."""
    hook = PublishHook()
    yield hook
    hook.close()


@pytest.fixture
def odd_service() -> Iterator[Callable[..., Service]]:
    """RTMP services with manners of a test's choice: `odd_service(behaviour=never_read)`; see harness/rtmp.py."""
    services: list[Service] = []

    def start(**arguments: Any) -> Service:
        services.append(Service(**arguments))
        return services[-1]

    yield start
    for service in services:
        service.close()
        assert not service.errors, service.errors


@pytest.fixture(scope="session")
def noisy_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """100 pictures, 640x360, that fill any bitrate; their counters begin anew with each turn of the file."""
    path = tmp_path_factory.mktemp("video") / "noisy.y4m"
    write_noisy_file(path, 640, 360, 100)
    return path


@pytest.fixture
def post_receiver(tmp_path: Path) -> Iterator[PostReceiver]:
    receiver = PostReceiver(tmp_path / "posted.flv")
    yield receiver
    receiver.remove()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        # The sandbox needs a user other than root; nothing but the agent's own page is opened.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", *FAKE_MICROPHONE])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    mistakes: list[str] = []
    page.on("pageerror", lambda error: mistakes.append(str(error)))
    page.on("console", lambda message: mistakes.append(message.text) if "Content Security" in message.text else None)
    yield page
    context.close()
    assert not mistakes, mistakes
