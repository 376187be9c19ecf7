"""The head on the device: Pelco-D through the USB serial port, a stepper motor on the lines of the GPIO chip."""

import json
import re
import sys
import threading
from collections.abc import Iterator

import pytest

from board import REPOSITORY, wait_until

sys.path.insert(0, str(REPOSITORY / "Tests" / "EndToEnd"))

from harness.pelco_d import Decoder  # noqa: E402

PATIENCE = 120
CONFIGURATION = "/etc/edge-agent/edge-agent.yaml"
COILS = 4
"""On lines 0, 1, 2 and 4 of the board's chip; number 3 is its power button's."""
HALF_STEPS = ("1000", "1100", "0100", "0110", "0010", "0011", "0001", "1001")
LATENESS_SECONDS = 5
SLOW = 2
"""Steps a second that can be followed by looking: each look is a process on an emulated machine."""
SLOW_SECONDS = 12


class Configured:
    """The agent with a head; what it was configured with comes back at the end."""

    def __init__(self, board, ptz: str):
        self.board = board
        text = "".join(f"    {line}\n" for line in ptz.strip().splitlines())
        escaped = text.rstrip("\n").replace("\n", "\\n")
        board.run(f"cp {CONFIGURATION} /run/before.yaml; sed -i 's|^server:|{escaped}\\n&|' {CONFIGURATION}; "
                  "rm -f /var/lib/edge-agent/head-0")
        self.reload()

    def reload(self):
        self.board.run(f"edge-agent check --config {CONFIGURATION} && systemctl reload edge-agent", timeout=PATIENCE)

    def restore(self):
        self.board.run(f"cp /run/before.yaml {CONFIGURATION}; systemctl reload edge-agent", timeout=PATIENCE)

    def report(self) -> dict:
        return json.loads(self.board.run("edgectl ptz 0 --json", timeout=60))

    def wait_for_head(self):
        wait_until("the head is there", lambda: self.board.execute("edgectl ptz 0", timeout=60)[0] == 0, PATIENCE)


class SerialHead:
    """Decodes what comes out of the board's serial port."""

    def __init__(self, board):
        self.decoder = Decoder()
        self._line = board.serial(timeout=1)
        self._is_ending = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self):
        while not self._is_ending:
            try:
                data = self._line.recv(4096)
            except TimeoutError:
                continue
            if not data:
                return
            self.decoder.receive(data)

    @property
    def frames(self):
        return list(self.decoder.frames)

    @property
    def is_moving(self) -> bool:
        return bool(self.frames) and not self.frames[-1].is_stop

    def wait_for(self, what: str, condition):
        wait_until(f"{what}; last frames: {self.frames[-5:]}", condition, PATIENCE, interval=0.01)

    def close(self):
        self._is_ending = True
        self._thread.join()
        self._line.close()


@pytest.fixture
def serial_head(board, service, pushing) -> Iterator[tuple[Configured, SerialHead]]:
    head = SerialHead(board)
    agent = Configured(board, "ptz:\n  driver: pelco-d\n  serial:\n    device: /dev/ttyUSB0\n    baud: 9600")
    head.wait_for("three stops", lambda: sum(frame.is_stop for frame in head.frames) >= 3)
    yield agent, head
    agent.restore()
    # The agent's last words.
    head.wait_for("rest", lambda: not head.is_moving)
    head.close()


class TestPelcoD:
    def test_a_press_and_its_end(self, board, serial_head):
        agent, head = serial_head
        since = len(head.frames)
        board.run("edgectl ptz 0 left --speed 0.5 --seconds 2", timeout=60)
        head.wait_for("rest", lambda: not head.is_moving and len(head.frames) > since)
        frames = head.frames[since:]
        assert frames[0].motions == {"left"}
        assert frames[0].data == (32, 0)
        head.wait_for("repeated stops", lambda: sum(frame.is_stop for frame in head.frames[since:]) >= 3)
        assert head.decoder.faults == []

    def test_whoever_pressed_is_killed(self, board, serial_head):
        agent, head = serial_head
        pid = board.start("edgectl ptz 0 up", "ptz.log")
        head.wait_for("motion", lambda: head.is_moving)
        board.run(f"kill -9 {pid}")
        head.wait_for("rest", lambda: not head.is_moving)
        assert agent.report()["stops"]["holderLost"] >= 1
        assert head.decoder.faults == []

    def test_the_agent_is_killed(self, board, serial_head):
        agent, head = serial_head
        board.start("edgectl ptz 0 up", "ptz.log")
        head.wait_for("motion", lambda: head.is_moving)
        board.run(f"kill -9 {board.agent_pid()}")
        head.wait_for("rest, when the agent is back", lambda: not head.is_moving)
        board.wait_ready()


STEPPER = """
ptz:
  driver: stepper
  limits: {minPan: -170, maxPan: 170}
  stepper:
    chip: /dev/gpiochip0
    pan: {lines: [0, 1, 2, 4], stepsPerDegree: 11.4, startRate: %d, maximumRate: %d, acceleration: 4000%s}
"""


def coils(board, command: str) -> list[str]:
    """What the coils' lines were, one look after the other, while a command ran."""
    listing = board.run(
        "mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug; "
        f"{command} >/dev/null & while kill -0 $! 2>/dev/null; do cat /sys/kernel/debug/gpio; echo look; done; "
        "cat /sys/kernel/debug/gpio", timeout=PATIENCE)
    looks = []
    for look in listing.split("look\n"):
        # Numbered from wherever the kernel put the chip, in the order of its lines.
        levels = re.findall(r"gpio-\d+\s.*\|edge-agent motor\s*\) out (hi|lo)", look)
        assert len(levels) == COILS, look
        looks.append("".join("1" if level == "hi" else "0" for level in levels))
    return looks


class TestStepper:
    @pytest.fixture
    def stepper(self, board, service, pushing, request) -> Iterator[Configured]:
        start, rate, more = getattr(request, "param", (SLOW, SLOW, ""))
        agent = Configured(board, STEPPER % (start, rate, more))
        agent.wait_for_head()
        yield agent
        agent.restore()

    @pytest.mark.parametrize(("direction", "turn"), [("right", 1), ("left", -1)])
    def test_the_lines_go_through_the_half_steps(self, board, stepper, direction, turn):
        looks = coils(board, f"edgectl ptz 0 {direction} --seconds {SLOW_SECONDS}")
        moving = [look for look in looks if look != "0000"]
        phases = [HALF_STEPS.index(look) for look in moving]
        turns = [(after - before) * turn % 8 for before, after in zip(phases, phases[1:])]
        # A look may miss a step or two; none goes the other way.
        assert sum(turns) >= SLOW * SLOW_SECONDS * 3 // 4, looks
        assert max(turns) <= 3, looks
        assert looks[-1] == "0000", looks
        assert not stepper.report()["moving"]

    @pytest.mark.parametrize("stepper", [(200, 800, "")], indirect=True)
    def test_steps_come_on_time(self, board, stepper, figures):
        pid = board.agent_pid()
        policy = board.run(
            f"for task in /proc/{pid}/task/*; do grep -q ptz0 $task/comm && cut -d' ' -f41 $task/stat; done 2>/dev/null; true"
        ).strip()
        board.run(f"edgectl ptz 0 right --seconds {LATENESS_SECONDS}", timeout=60)
        jitter = stepper.report()["jitter"]
        figures.section("ptz")["stepLatenessMicroseconds"] = {**jitter, "rate": 800, "isRealTime": policy == "1"}
        print(jitter)
        # SCHED_FIFO, which the board's drop-in allows.
        assert policy == "1"
        assert jitter["steps"] > 500

    @pytest.mark.parametrize("stepper", [(SLOW, SLOW, ", maximumSwitch: 5")], indirect=True)
    def test_a_closed_end_switch_is_an_end(self, board, stepper):
        """The emulated chip's inputs are low, which is what a closed switch is."""
        looks = coils(board, "edgectl ptz 0 right --seconds 2")
        assert set(looks) == {"0000"}
        assert stepper.report()["atEnd"]
        assert set(coils(board, "edgectl ptz 0 left --seconds 2")) > {"0000"}

    def test_a_killed_agent_steps_no_more(self, board, stepper):
        board.start("edgectl ptz 0 left --seconds 30", "ptz.log")
        wait_until("motion", lambda: stepper.report()["moving"], PATIENCE)
        before = int(board.property("edge-agent.service", "NRestarts"))
        board.run(f"kill -9 {board.agent_pid()}")
        wait_until("systemd starts it again",
                   lambda: int(board.property("edge-agent.service", "NRestarts")) == before + 1, PATIENCE)
        stepper.wait_for_head()
        report = stepper.report()
        assert not report["moving"]
        assert "pan" not in report
        assert set(coils(board, "sleep 1")) == {"0000"}
