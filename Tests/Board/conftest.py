"""Fixtures of the board's tests; `Scripts/board --test` runs them."""

import os
import tempfile
from pathlib import Path

import pytest

from board import Board, BoardError, MediaService
from figures import Figures
from image_board import ImageBoard
from initramfs_board import InitramfsBoard
from viewer import Viewer

# What Scripts/board gives: the board's architecture, and the folder of what it boots.
ARCHITECTURE = os.environ.get("EDGE_AGENT_BOARD_ARCH", "amd64")
IMAGE = os.environ.get("EDGE_AGENT_BOARD")

# What only a device with systemd, slots and a disk can show.
collect_ignore = [] if ARCHITECTURE == "arm64" else [
    "test_device.py", "test_doctor.py", "test_ptz.py", "test_recording.py", "test_recovery.py", "test_update.py",
]


def pytest_addoption(parser):
    parser.addoption("--full", action="store_true", help="the long forms, some of which take many minutes")


def pytest_configure(config):
    config.addinivalue_line("markers", "long: takes minutes; only with --full")


def pytest_collection_modifyitems(config, items):
    if not config.getoption("--full"):
        long = [item for item in items if item.get_closest_marker("long")]
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session")
def full(request) -> bool:
    return request.config.getoption("--full")


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    service = MediaService(tmp_path_factory.mktemp("media-service"))
    yield service
    service.stop()


@pytest.fixture(scope="session")
def board(request):
    if not IMAGE:
        pytest.fail("there is no board image; run Scripts/board --arch amd64 --test", pytrace=False)
    # A socket's path is short, so pytest's own folders are too deep.
    with tempfile.TemporaryDirectory(prefix="board-") as folder:
        kind = ImageBoard if ARCHITECTURE == "arm64" else InitramfsBoard
        board = kind(Path(IMAGE), Path(folder))
        request.config.stash[BOARD] = board
        try:
            board.boot()
            yield board
        finally:
            board.stop()


@pytest.fixture(scope="session")
def figures(board, full):
    """What is measured; a full run keeps it."""
    figures = Figures()
    yield figures
    print(figures.text())
    if full:
        figures.save(board.versions())


@pytest.fixture(scope="module")
def pushing(board, service):
    """The agent runs and is told to push to the media service, as `arrives` can see."""
    board.start_agent(service)
    board.run("edgectl push list --json | grep -q '\"publishing\"' || edgectl push open", timeout=90)


@pytest.fixture
def viewer():
    """Context managers that read a stream of the board's as a viewer does, and throw it away."""
    return Viewer


BOARD = pytest.StashKey[Board]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the board printed, and the logs of the programs inside."""
    report = yield
    board = item.config.stash.get(BOARD, None)
    if report.failed and board is not None:
        report.sections.append(("console of the board", board.console()[-8000:]))
        if board.is_running:
            try:
                logs = board.logs()
            except BoardError as error:
                logs = str(error)
            report.sections.append(("logs on the board", logs))
    return report
