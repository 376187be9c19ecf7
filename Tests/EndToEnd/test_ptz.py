"""Heads that turn: a motor without a living command stops. The head is a decoder of Pelco-D of the tests' own at the
other end of a pseudo-terminal, or the agent's simulated one."""

import json
import platform
import random
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.agent import PROGRAMS, REPOSITORY, Agent
from harness.held_request import HeldRequest
from harness.pelco_d import Head
from harness.viewers import fetch
from harness.waiting import wait_until

SEED = 20261121
TIME_LIMIT = 1.0


def configuration(**ptz: Any) -> dict[str, Any]:
    """Sound only: nothing but the head matters here."""
    return {"channels": [{"video": {"source": "none"}, "audio": {"source": "synthetic"}, "sub": False,
                          "ptz": {"timeLimit": TIME_LIMIT, **ptz}}]}


@pytest.fixture
def head(tmp_path: Path) -> Iterator[Head]:
    head = Head(tmp_path / "line")
    yield head
    head.close()
    assert head.decoder.faults == []


@pytest.fixture
def pelco(agent: Callable[..., Agent], head: Head) -> Agent:
    """An agent whose head has heard its first stops."""
    one = agent(configuration(driver="pelco-d", serial={"device": str(head.link), "address": 7}))
    head.wait_for_stops(3)
    return one


def order(agent: Agent, command: str, **fields: Any) -> dict[str, Any]:
    status, answer = agent.request("POST", "/channels/0/ptz", {"command": command, **fields})
    assert status == 200, (status, answer)
    return answer


def hold(agent: Agent, *directions: str, **fields: Any) -> HeldRequest:
    return HeldRequest(agent.control_socket, "/channels/0/ptz",
                       {"command": "press", "directions": directions, **fields})


def at_rest(agent: Agent) -> dict[str, Any]:
    return wait_until(lambda: not (report := agent.get("/channels/0/ptz"))["moving"] and report, "the head at rest")


class TestSerialLine:
    def test_every_order_is_the_right_frame(self, pelco: Agent, head: Head) -> None:
        order(pelco, "press", directions=["left", "up"], speed=0.5, hold=False)
        head.wait_for_motion("left", "up")
        assert head.frames[-1].address == 7
        assert head.frames[-1].data == (32, 32)
        assert order(pelco, "stop")["moving"] is False
        head.wait_for_rest()
        for directions in ("right", "down", "zoomIn", "zoomOut", "focusNear", "focusFar", "irisOpen", "irisClose"):
            order(pelco, "press", directions=[directions], hold=False)
            head.wait_for_motion(directions)
        order(pelco, "stop")
        for command, number, name in (("setPreset", 5, "setPreset"), ("callPreset", 9, "callPreset"),
                                      ("clearPreset", 5, "clearPreset"), ("home", 34, "callPreset")):
            order(pelco, command, number=number)
            head.wait_for_command(name, number)
        order(pelco, "stop")
        for on in (True, False):
            order(pelco, "auxiliary", number=2, on=on)
            head.wait_for_command("auxiliaryOn" if on else "auxiliaryOff", 2)
        order(pelco, "step", directions=["left"])
        head.wait_for_motion("left")
        head.wait_for_rest()

    def test_a_press_lives_as_long_as_its_request(self, pelco: Agent, head: Head) -> None:
        request = hold(pelco, "right")
        head.wait_for_motion("right")
        begun = time.monotonic()
        # Longer than the time limit: the living request renews it.
        head.wait_for(lambda: time.monotonic() > begun + 2 * TIME_LIMIT, "time")
        assert head.is_moving
        since = len(head.frames)
        request.leave()
        head.wait_for_rest(TIME_LIMIT)
        head.wait_for_stops(3, since)
        assert at_rest(pelco)["stops"]["holderLost"] == 1

    def test_edgectl_stops_the_head_however_it_ends(self, pelco: Agent, head: Head) -> None:
        command = [str(PROGRAMS / "edgectl"), "ptz", "0", "left", "--socket", pelco.control_socket]
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            process = subprocess.Popen(command)
            head.wait_for_motion("left")
            process.send_signal(number)
            process.wait()
            head.wait_for_rest(TIME_LIMIT)
        done = pelco.edgectl("ptz", "0", "left", "--seconds", "0.3")
        assert done.returncode == 0, done.stderr
        assert "at rest" in done.stdout
        assert not head.is_moving

    def test_the_time_limit_stops_and_repeats_renew_it(self, pelco: Agent, head: Head) -> None:
        begun = time.monotonic()
        while time.monotonic() < begun + 2 * TIME_LIMIT:
            order(pelco, "press", directions=["up"], hold=False)
            assert head.is_moving or len(head.frames) < 5
            since = len(head.frames)
            head.wait_for(lambda: len(head.frames) > since or time.monotonic() > begun + 2 * TIME_LIMIT, "a frame")
        head.wait_for_rest(TIME_LIMIT + 1)
        assert at_rest(pelco)["stops"]["timeLimit"] == 1

    def test_the_newest_command_wins(self, pelco: Agent, head: Head) -> None:
        first = hold(pelco, "left")
        head.wait_for_motion("left")
        second = hold(pelco, "right")
        head.wait_for_motion("right")
        first.leave()
        begun = time.monotonic()
        head.wait_for(lambda: time.monotonic() > begun + TIME_LIMIT / 2, "time")
        assert head.motions == {"right"}
        assert order(pelco, "stop")["moving"] is False
        head.wait_for_rest()
        second.leave()

    def test_the_last_word_of_an_agent_that_ends_is_a_stop(self, pelco: Agent, head: Head) -> None:
        request = hold(pelco, "left")
        head.wait_for_motion("left")
        status, _ = pelco.terminate()
        assert status == 0
        head.wait_for_rest()
        assert [frame.is_stop for frame in head.frames[-3:]] == [True] * 3
        request.leave()

    def test_an_agent_that_was_killed_stops_the_head_when_it_is_back(
            self, agent: Callable[..., Agent], pelco: Agent, head: Head) -> None:
        request = hold(pelco, "left")
        head.wait_for_motion("left")
        pelco.signal(signal.SIGKILL)
        pelco.process.wait()
        request.leave()
        assert head.is_moving
        agent(pelco.configuration, folder=pelco.folder, port=pelco.port)
        head.wait_for_rest()

    def test_a_line_that_was_pulled_out_comes_back_at_rest(self, pelco: Agent, head: Head) -> None:
        events = pelco.events()
        request = hold(pelco, "left")
        head.wait_for_motion("left")
        head.unplug()
        events.wait_for("ptz.away")
        assert "plugged in" in pelco.get("/channels/0/ptz")["fault"]
        status, answer = pelco.request("POST", "/channels/0/ptz", {"command": "press", "directions": ["up"]})
        assert (status, answer["error"]["code"]) == (503, "unavailable")
        since = len(head.frames)
        head.plug()
        events.wait_for("ptz.back")
        head.wait_for_stops(3, since)
        assert not head.is_moving
        assert pelco.get("/channels/0/ptz")["faults"] == 1
        request.leave()
        events.close()

    def test_a_reload_with_other_settings_stops_first(self, pelco: Agent, head: Head) -> None:
        request = hold(pelco, "left")
        head.wait_for_motion("left")
        changed = configuration(driver="pelco-d", serial={"device": str(head.link), "address": 8})
        since = len(head.frames)
        pelco.write_configuration(changed)
        pelco.signal(signal.SIGHUP)
        head.wait_for(lambda: any(frame.address == 8 for frame in head.frames), "the new address")
        stops = [frame.address for frame in head.frames[since:] if frame.is_stop]
        assert stops[:3] == [7] * 3
        head.wait_for_rest()
        request.leave()

    def test_positions_are_asked_for(self, agent: Callable[..., Agent], head: Head) -> None:
        one = agent(configuration(driver="pelco-d", serial={"device": str(head.link), "answersQueries": True}))
        head.wait_for(lambda: {"queryPan", "queryTilt"} <= {frame.extended for frame in head.frames}, "questions")

        def has_heard() -> bool:
            head.write(bytes([0, 0xFF, 0x13, 0xFF, 1, 0, 0x59, 0x23, 0x28, 0xA5, 0xFF, 1, 0, 0x5B, 0x0B, 0xB8, 0x1F]))
            report = one.get("/channels/0/ptz")
            return report.get("pan") == 90 and report.get("tilt") == -30
        wait_until(has_heard, "the position", interval=0.1)


class TestSimulatedHead:
    def test_position_and_presets_survive_an_orderly_restart(self, agent: Callable[..., Agent]) -> None:
        one = agent(configuration(driver="simulated"))
        order(one, "go", pan=12.5, tilt=-5)
        assert at_rest(one)["pan"] == 12.5
        order(one, "setPreset", number=3)
        one.terminate()
        again = agent(one.configuration, folder=one.folder, port=one.port)
        report = again.get("/channels/0/ptz")
        assert (report["pan"], report["tilt"], report["presets"]) == (12.5, -5, [3])

    def test_after_a_crash_while_moving_the_position_is_unknown_until_home(self, agent: Callable[..., Agent]) -> None:
        one = agent(configuration(driver="simulated"))
        request = hold(one, "right", speed=0.1)
        memory = one.folder / "state" / "head-0"
        wait_until(lambda: memory.exists() and "moving" in memory.read_text(), "the mark of a motion")
        one.signal(signal.SIGKILL)
        one.process.wait()
        request.leave()
        again = agent(one.configuration, folder=one.folder, port=one.port)
        assert "pan" not in again.get("/channels/0/ptz")
        status, answer = again.request("POST", "/channels/0/ptz", {"command": "go", "pan": 1})
        assert (status, answer["error"]["code"]) == (409, "positionUnknown")
        order(again, "home")
        assert at_rest(again)["pan"] == 0

    def test_the_end_of_travel_is_told(self, agent: Callable[..., Agent]) -> None:
        one = agent(configuration(driver="simulated", limits={"minPan": -10, "maxPan": 10}))
        request = hold(one, "right")
        wait_until(lambda: one.get("/channels/0/ptz")["atEnd"], "the end")
        report = at_rest(one)
        assert report["pan"] == 10
        assert report["stops"] == {"end": 1}
        request.leave()

    def test_a_patrol_goes_on_without_its_holder(self, agent: Callable[..., Agent]) -> None:
        one = agent(configuration(driver="simulated", dwell=1))
        for number, pan in ((1, 5), (2, -5)):
            order(one, "go", pan=pan)
            at_rest(one)
            order(one, "setPreset", number=number)
        assert order(one, "startPatrol")["patrolling"]
        for pan in (5, -5, 5):
            wait_until(lambda: one.get("/channels/0/ptz")["pan"] == pan, f"preset at {pan}")
        assert one.edgectl("ptz", "0", "patrol", "stop").returncode == 0
        assert not one.get("/channels/0/ptz")["patrolling"]

    def test_status_and_metrics_tell_of_the_head(self, agent: Callable[..., Agent]) -> None:
        one = agent(configuration(driver="simulated"))
        order(one, "step", directions=["right"])
        assert at_rest(one)["pan"] == 2
        assert one.status()["channels"][0]["ptz"]["stops"] == {"arrived": 1}
        assert "simulated, at rest, pan 2.0°" in one.edgectl("status").stdout
        metrics = fetch(f"{one.url}/metrics")[2].decode()
        assert 'edge_agent_ptz_moves_total{channel="0"} 1' in metrics
        assert 'edge_agent_ptz_stops_total{channel="0",cause="arrived"} 1' in metrics

    @pytest.mark.parametrize("body", [
        {}, {"command": "dance"}, {"command": "press"}, {"command": "press", "directions": ["left", "right"]},
        {"command": "press", "directions": ["left"], "speed": 7}, {"command": "press", "directions": ["left"],
                                                                    "seconds": 1e9},
        {"command": "go"}, {"command": "go", "pan": 1e308}, {"command": "setPreset"},
        {"command": "setPreset", "number": 1000}, {"command": "startPatrol", "presets": [1] * 1000}, b"\xff{", b"[]"])
    def test_bad_orders_are_refused(self, agent: Callable[..., Agent], body: Any) -> None:
        one = agent(configuration(driver="simulated"))
        status, answer = one.request("POST", "/channels/0/ptz", body)
        assert status == 400, answer
        assert not one.get("/channels/0/ptz")["moving"]

    def test_a_channel_without_a_head_has_none(self, agent: Callable[..., Agent]) -> None:
        one = agent()
        assert one.request("GET", "/channels/0/ptz")[0] == 404
        assert one.request("POST", "/channels/7/ptz", {"command": "stop"})[0] == 404
        assert "ptz" not in one.status()["channels"][0]


class Sequences:
    """Random presses, releases, losses, time limits and ends of the agent; each ends with a head at rest."""

    def __init__(self, agent: Callable[..., Agent], head: Head, kills_every: int) -> None:
        self.start = agent
        self.head = head
        self.chance = random.Random(SEED)
        self.kills_every = kills_every
        self.held: list[HeldRequest] = []
        self.rest_seconds: list[float] = []
        self.order_milliseconds: list[float] = []
        self.ends = {"release": 0, "loss": 0, "timeLimit": 0, "SIGTERM": 0, "SIGKILL": 0}
        self.one = agent(configuration(
            driver="pelco-d", timeLimit=0.5, serial={"device": str(head.link), "baud": 9600}))
        head.wait_for_stops(3)

    def run(self, number: int) -> None:
        for _ in range(self.chance.randint(1, 5)):
            self.act()
        ends = ["release", "loss", "timeLimit"]
        if number % self.kills_every == 0:
            ends = ["SIGTERM", "SIGKILL"]
        end = self.chance.choice(ends)
        self.ends[end] += 1
        # Whatever else was held ends with the others' requests.
        if end != "release":
            self.press()
        begun = time.monotonic()
        getattr(self, end)()
        self.head.wait_for_rest(3)
        self.rest_seconds.append(time.monotonic() - begun)
        for request in self.held:
            request.leave()
        self.held = []

    def act(self) -> None:
        choice = self.chance.randrange(6)
        if choice <= 1:
            self.press()
        elif choice == 2:
            self.hold()
        elif choice == 3 and self.held:
            self.held.pop(self.chance.randrange(len(self.held))).leave()
        elif choice == 4:
            order(self.one, "callPreset", number=self.chance.randint(1, 9))
        else:
            order(self.one, "stop")

    def hold(self) -> None:
        """Returns when the agent has it, or it might come after what is ordered next."""
        moves = self.one.get("/channels/0/ptz")["moves"]
        self.held.append(hold(self.one, self.direction(), speed=self.speed()))
        wait_until(lambda: self.one.get("/channels/0/ptz")["moves"] > moves, "the held press")

    def press(self) -> None:
        begun = time.monotonic()
        order(self.one, "press", directions=[self.direction()], speed=self.speed(), hold=False)
        self.order_milliseconds.append((time.monotonic() - begun) * 1000)

    def direction(self) -> str:
        return self.chance.choice(["up", "down", "left", "right", "zoomIn", "zoomOut", "focusNear"])

    def speed(self) -> float:
        return round(self.chance.uniform(0.05, 1), 2)

    # Ends.

    def release(self) -> None:
        order(self.one, "stop")

    def loss(self) -> None:
        request = hold(self.one, "left")
        self.head.wait_for_motion("left")
        request.leave()

    def timeLimit(self) -> None:
        pass

    def SIGTERM(self) -> None:
        self.one.terminate()
        self.head.wait_for_rest(0.5)
        self.start_again()

    def SIGKILL(self) -> None:
        self.one.signal(signal.SIGKILL)
        self.one.process.wait()
        self.start_again()

    def start_again(self) -> None:
        since = len(self.head.frames)
        self.one.stop()
        self.one = self.start(self.one.configuration, folder=self.one.folder, port=self.one.port)
        self.head.wait_for_stops(3, since)


def test_after_any_sequence_the_motor_is_at_rest(agent: Callable[..., Agent], head: Head, full: bool) -> None:
    sequences = Sequences(agent, head, kills_every=5)
    count = 1000 if full else 50
    for number in range(count):
        sequences.run(number)
    assert not head.is_moving
    latency = sorted(sequences.order_milliseconds)
    figures = {
        "sequences": count, "ends": sequences.ends, "frames": len(head.frames), "faulty_frames": len(head.decoder.faults),
        "order_milliseconds": {"median": round(statistics.median(latency), 2),
                               "p99": round(latency[len(latency) * 99 // 100], 2), "most": round(latency[-1], 2)},
        "longest_until_rest_seconds": round(max(sequences.rest_seconds), 2),
        "python": platform.python_version(), "machine": platform.machine(),
    }
    print(json.dumps(figures, indent=2))
    if full:
        (REPOSITORY / "Benchmarks" / "ptz-sequences.json").write_text(json.dumps(figures, indent=2) + "\n")
