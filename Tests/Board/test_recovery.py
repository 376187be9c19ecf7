"""Whatever stops the device: it is back by itself and pushes again where it was told to."""

import time

import pytest

from board import wait_until
from recording import stream_arrives

PATIENCE = 120
OUTAGE = 10


@pytest.fixture
def comes_back(board, service, pushing, figures, tmp_path):
    """A function that checks that the stream is there again, and notes after how long since `began`."""
    def check(what: str, began: float):
        assert stream_arrives(service.address("board"), tmp_path, PATIENCE), f"no stream after {what}"
        figures.section("board").setdefault("secondsUntilStreamIsBack", {})[what] = round(time.monotonic() - began, 1)

    assert stream_arrives(service.address("board"), tmp_path, PATIENCE), "there is no stream to begin with"
    return check


def restarts(board) -> int:
    return int(board.property("edge-agent.service", "NRestarts"))


def test_the_network_stops_for_ten_seconds(board, comes_back):
    pid = board.agent_pid()
    board.qmp.execute("set_link", name="nic", up=False)
    # How long it is away is what is tried here.
    time.sleep(OUTAGE)
    board.qmp.execute("set_link", name="nic", up=True)
    comes_back("network", time.monotonic())
    board.wait_reachable()
    assert board.agent_pid() == pid, "the agent started anew"


def test_a_killed_agent(board, comes_back):
    before = restarts(board)
    began = time.monotonic()
    board.run(f"kill -9 {board.agent_pid()}")
    wait_until("systemd starts it again", lambda: restarts(board) == before + 1, PATIENCE)
    comes_back("kill -9", began)


def test_a_hung_agent_is_ended_by_the_watchdog(board, comes_back):
    before = restarts(board)
    began = time.monotonic()
    board.run(f"kill -STOP {board.agent_pid()}")
    wait_until("systemd starts it again", lambda: restarts(board) == before + 1, PATIENCE, interval=1)
    journal = board.run("journalctl -b -u edge-agent --no-pager -o cat -n 60")
    assert "Watchdog timeout" in journal, journal
    comes_back("hung agent", began)


@pytest.mark.long
def test_a_hung_system_is_ended_by_the_hardware_watchdog(board, comes_back):
    """systemd, once it has crashed, freezes: it starts and feeds nothing any more, as a hung kernel does not."""
    resets, barks = board.qmp.count("RESET"), board.qmp.count("WATCHDOG")
    began = time.monotonic()
    board.execute("kill -SEGV 1")
    board.qmp.wait_for("WATCHDOG", barks, PATIENCE)
    board.wait_reset(resets, PATIENCE)
    board.wait_ready()
    comes_back("hung system", began)


@pytest.mark.long
def test_a_panic_of_the_kernel_restarts_it(board, comes_back):
    began = time.monotonic()
    # It does not answer any more, so this cannot wait for it.
    board.expect_reset(lambda: board.run(
        "echo 1 >/proc/sys/kernel/sysrq; (sleep 1; echo c >/proc/sysrq-trigger) >/dev/null 2>&1 &"))
    board.wait_ready()
    comes_back("kernel panic", began)


@pytest.mark.long
def test_a_power_cut_while_it_runs(board, comes_back):
    board.power_cut()
    began = time.monotonic()
    board.boot()
    comes_back("power cut", began)
