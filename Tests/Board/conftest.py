"""Fixtures of the board's tests; `Scripts/board --test` runs them."""

import pytest

from board import Board, BoardError, MediaService, image_folder


@pytest.fixture(scope="session")
def service(tmp_path_factory):
    service = MediaService(tmp_path_factory.mktemp("media-service"))
    yield service
    service.stop()


@pytest.fixture(scope="session")
def board(tmp_path_factory, request):
    image = image_folder()
    if image is None or not (image / "initramfs").exists():
        pytest.fail("there is no board image; run Scripts/board --arch amd64 --test", pytrace=False)
    board = Board(image, tmp_path_factory.mktemp("board"))
    request.config.stash[BOARD] = board
    yield board
    board.stop()


BOARD = pytest.StashKey[Board]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the board printed, and the logs of the programs inside."""
    report = yield
    board = item.config.stash.get(BOARD, None)
    if report.failed and board is not None:
        report.sections.append(("console of the board", board.console()[-8000:]))
        if board.process.is_running:
            try:
                _, logs = board.execute("tail -n 60 /var/log/*.log; dmesg | tail -n 20; ps", timeout=20)
            except BoardError as error:
                logs = str(error)
            report.sections.append(("logs on the board", logs))
    return report
