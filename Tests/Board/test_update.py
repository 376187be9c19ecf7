"""Updates into the other slot: good ones, wrong ones, broken ones, and ones that a power cut ends."""

import hashlib
import json
import random
import time

import pytest

from board import wait_until
from recording import stream_arrives
from updates import UpdateMaker

PATIENCE = 120
INSTALL_PATIENCE = 300
ON_BOARD = "/var/tmp/update.raucb"
RECORDING = "/var/lib/edge-agent/recording-of-the-test"
# An update that does not become healthy is restarted after so long, in seconds; the image's own limit is minutes.
TRIAL = 100


@pytest.fixture(scope="module")
def maker(tmp_path_factory):
    return UpdateMaker(tmp_path_factory.mktemp("updates"))


@pytest.fixture(scope="module")
def good(board):
    """The image's own update, on the board as a field engineer would have copied it."""
    board.put(board.image / "update.raucb", ON_BOARD)
    board.run(f"sync {ON_BOARD}")
    return board.image / "update.raucb"


@pytest.fixture(scope="module")
def belongings(board, pushing):
    """What is on the device and must stay; a function that checks it."""
    settings = board.run("cat /etc/edge-agent/edge-agent.yaml")
    content = board.run(f"head -c 1000000 /dev/urandom >{RECORDING}; sync {RECORDING}; sha256sum {RECORDING}")

    def check():
        assert board.run("cat /etc/edge-agent/edge-agent.yaml") == settings
        assert board.run(f"sha256sum {RECORDING}") == content

    assert board.execute("cmp /etc/edge-agent/edge-agent.yaml /slot/etc/edge-agent/edge-agent.yaml")[0] != 0
    return check


def update_status(board) -> dict:
    return json.loads(board.run("edgectl update --status --json", timeout=60))


def wait_confirmed(board):
    wait_until("the system is confirmed", board.is_confirmed, PATIENCE, interval=1)


def boot_environment(board) -> str:
    return board.run("grub-editenv /boot/efi/EFI/debian/grubenv list", timeout=60)


def test_wrong_bundles_are_refused_and_change_nothing(board, maker, pushing):
    wait_confirmed(board)
    small = maker.small_system()
    cut = maker.folder / "cut.raucb"
    cut.write_bytes(maker.bundle("whole", small, "9.9.9").read_bytes()[:-3000])
    cases = {
        "signature": maker.bundle("stranger", small, "9.9.9", signer=maker.strange_key()),
        "otherBoard": maker.bundle("elsewhere", small, "9.9.9", board="edge-agent-somewhere-else"),
        "damaged": cut,
    }
    before = update_status(board), boot_environment(board), other_slot_beginning(board)
    for code, bundle in cases.items():
        board.put(bundle, "/run/tests/wrong.raucb")
        status, text = board.execute("edgectl update /run/tests/wrong.raucb --json", timeout=PATIENCE)
        assert status == 1, text
        assert json.loads(text)["error"]["code"] == code, text
    assert (update_status(board), boot_environment(board), other_slot_beginning(board)) == before


def other_slot_beginning(board) -> str:
    other = {"A": "b", "B": "a"}[board.slot()]
    return board.run(f"head -c 1000000 /dev/disk/by-partlabel/system-{other} | sha256sum")


@pytest.mark.long
def test_a_power_cut_while_installing(board, service, maker, good, belongings, figures, tmp_path):
    """Whatever the moment: the slot that is right starts, and everything on the device is still there."""
    chance = random.Random()
    system = maker.system_of(good)
    written = hashlib.sha256(system.read_bytes()).hexdigest()
    duration = None
    cuts = figures.section("board").setdefault("powerCuts", [])
    for _ in range(10):
        wait_confirmed(board)
        begun_in = board.slot()
        board.start(f"edgectl update {ON_BOARD}", "update.log")
        moment = chance.uniform(0, duration or 20)
        # The moment is what is tried here.
        time.sleep(moment)
        board.power_cut()
        board.boot()
        belongings()
        outcome = check_after_cut(board, begun_in, system.stat().st_size, written)
        cuts.append({"second": round(moment, 1), "runs": board.slot(), "before": begun_in, "outcome": outcome})
        if outcome in ("onTrial", "confirmed"):
            # The whole installation fits in that time.
            duration = moment
    assert stream_arrives(service.address("board"), tmp_path, PATIENCE)
    figures.section("board")["installSeconds"] = duration


def check_after_cut(board, begun_in: str, size: int, written: str) -> str | None:
    """A slot may only be run when it was written to its end."""
    status = update_status(board)
    outcome = status.get("lastUpdate", {}).get("outcome")
    if board.slot() != begun_in:
        label = board.slot().lower()
        found = board.run(f"head -c {size} /dev/disk/by-partlabel/system-{label} | sha256sum", timeout=PATIENCE)
        assert found.split()[0] == written, "a slot that was not written to its end was started"
        assert outcome in ("onTrial", "confirmed"), status
    else:
        # Nothing had begun, or the slot that is half written will not be started.
        wait_confirmed(board)
        assert update_status(board).get("next") == begun_in, status
    return outcome


def test_an_update_into_the_other_slot(board, service, good, belongings, full, figures, tmp_path):
    """It starts with the restart that comes with it or, in the short form, after a power cut once it is installed."""
    wait_confirmed(board)
    before = board.slot()
    began = time.monotonic()
    installed = None

    def install(*options):
        nonlocal installed
        status, text = board.execute(" ".join(["edgectl update", ON_BOARD, *options]), timeout=INSTALL_PATIENCE)
        installed = time.monotonic() - began
        assert ("Restarting into it now" if options else "Installed.") in text, f"status {status}: {text}"

    if full:
        board.expect_reset(lambda: install("--reboot"))
        board.wait_ready()
    else:
        install()
        board.power_cut()
        board.boot()
    ready = time.monotonic() - began
    assert board.slot() != before
    # Unless it is confirmed already.
    assert update_status(board)["lastUpdate"]["outcome"] in ("onTrial", "confirmed")
    belongings()
    wait_confirmed(board)
    status = update_status(board)
    assert status["running"]["slot"] == board.slot() == status["next"]
    assert status["lastUpdate"]["outcome"] == "confirmed"
    assert stream_arrives(service.address("board"), tmp_path, PATIENCE)
    figures.section("board")["update"] = {
        "installSeconds": round(installed, 1), "untilReadySeconds": round(ready, 1),
        "untilConfirmedSeconds": round(time.monotonic() - began, 1), "boot": vars(board.boot_times()),
    }


@pytest.mark.long
def test_an_update_that_is_never_healthy_is_rolled_back(board, service, maker, good, belongings, figures, tmp_path):
    """Its agent does not start. It is tried three times, and then the system before it is back by itself."""
    broken = maker.with_files(
        maker.system_of(good), "broken",
        {"usr/bin/edge-agent": "#!/bin/sh\nexit 1\n", "usr/lib/edge-board/build-id": "0.0.1-broken\n"})
    board.put(maker.bundle("broken", broken, "0.0.1-broken"), ON_BOARD)
    board.run(f"sync {ON_BOARD}")
    # Not to wait so long; the machine hands it to systemd, whichever system runs.
    board.credentials["systemd.unit-dropin.edge-rollback.timer"] = f"[Timer]\nOnBootSec=\nOnBootSec={TRIAL}\n"
    board.power_cut()
    board.boot()
    wait_confirmed(board)
    before = board.slot()
    resets = board.qmp.count("RESET")
    began = time.monotonic()
    board.expect_reset(lambda: board.execute(f"edgectl update {ON_BOARD} --reboot", timeout=INSTALL_PATIENCE))
    for attempt in range(1, 4):
        # The first reset was its own; each of the others ends an attempt.
        board.wait_reset(resets + attempt, TRIAL + PATIENCE)
    board.wait_ready()
    assert board.slot() == before
    wait_confirmed(board)
    last = update_status(board)["lastUpdate"]
    assert (last["outcome"], last["version"]) == ("rolledBack", "0.0.1-broken"), last
    belongings()
    assert stream_arrives(service.address("board"), tmp_path, PATIENCE)
    figures.section("board")["rollback"] = {
        "attempts": board.qmp.count("RESET") - resets - 1, "trialSeconds": TRIAL,
        "untilBackSeconds": round(time.monotonic() - began, 1),
    }
