"""edgectl doctor on the device: faults that are planted, one by one, are found and named, and a healthy device has none."""

import base64
import contextlib
import json
import math
import struct

import pytest

from board import wait_until

PATIENCE = 120
CONFIGURATION = "/etc/edge-agent/edge-agent.yaml"
KEPT = "/run/tests/healthy.yaml"
RATE = 16000
# vivid's own "Test Pattern" and "OSD Text Mode", and how it moves sideways.
BLACK, WHITE, RED, COLOURS = 5, 6, 7, 0
NO_TEXT, ALL_TEXT = 2, 0
STANDS_STILL, MOVES = 3, 4


def sound_file(board, name: str, level: float) -> str:
    """A second of a tone on the board, cut off at full scale where it is louder."""
    samples = (max(-1.0, min(1.0, level * math.sin(2 * math.pi * 440 * i / RATE))) for i in range(RATE))
    raw = b"".join(struct.pack("<h", round(32767 * sample)) for sample in samples)
    text = base64.b64encode(raw).decode()
    board.run(f"mkdir -p /run/tests; echo {text} | base64 -d >/run/tests/{name}.raw")
    return f"/run/tests/{name}.raw"


@contextlib.contextmanager
def playing(board, file: str):
    """What the loopback card's microphone hears meanwhile."""
    pid = board.start(
        f"sh -c 'while :; do cat {file}; done | aplay -q -t raw -f S16_LE -c 1 -r {RATE} -D plughw:CARD=Loopback,DEV=0'",
        "playing.log")
    try:
        yield
    finally:
        board.run(f"kill -- -{pid} || true")


def doctor(board, area: str) -> dict[str, dict]:
    """What is wrong, by code."""
    status, output = board.execute(f"edgectl doctor {area} --json", timeout=PATIENCE)
    assert status in (0, 1, 2), output
    found = [finding for finding in json.loads(output.splitlines()[-1]) if finding["verdict"] != "ok"]
    worst = max((["warning", "failure"].index(finding["verdict"]) + 1 for finding in found), default=0)
    assert status == {0: 0, 1: 2, 2: 1}[worst]
    assert all(finding["advice"] for finding in found)
    return {finding["code"]: finding for finding in found}


def is_found(board, area: str, code: str) -> bool:
    """Devices notice a fault after some time; then it is the only one in its area."""
    found = {}

    def look():
        nonlocal found
        found = doctor(board, area)
        return code in found

    try:
        wait_until(f"{code} is found", look, PATIENCE, interval=1)
    except Exception:
        raise AssertionError(f"{area}: {found}") from None
    return True


def controls(board, **values):
    board.run("v4l2-ctl -d /dev/video0 -c " + ",".join(f"{name}={value}" for name, value in values.items()))


def restart(board):
    board.run("systemctl reset-failed edge-agent; systemctl restart edge-agent", timeout=PATIENCE)


@pytest.fixture(scope="module")
def healthy(board, service):
    """All that a device in the field has: sound, a clock that was set, tokens to come in, no push that waits."""
    board.start_agent(service)
    board.run(f"mkdir -p /run/tests; cp -p {CONFIGURATION} {KEPT}; sed -i '/^push:/,/^[a-z]/{{/defaultTarget/d}}; "
              f"s/^push:$/push: {{}}/; s/open: true/open: false/' {CONFIGURATION}")
    board.run("edgectl push close --all || true")
    # As systemd-timesyncd leaves it behind; no time server is to be had here.
    board.run("mkdir -p /run/systemd/timesync; touch /run/systemd/timesync/synchronized")
    board.run(f"cp -p {CONFIGURATION} /run/tests/doctor.yaml")
    restart(board)
    with playing(board, sound_file(board, "tone", 0.3)):
        yield board
    board.run(f"cp -p {KEPT} {CONFIGURATION}")
    restart(board)


@contextlib.contextmanager
def configured(board, edit: str):
    """With a change to the configuration, as a script that sed takes."""
    board.run(f"sed -i {json.dumps(edit)} {CONFIGURATION}")
    restart(board)
    try:
        yield
    finally:
        board.run(f"cp -p /run/tests/doctor.yaml {CONFIGURATION}")
        restart(board)


@contextlib.contextmanager
def planted(board, fault: str, cure: str):
    board.run(fault, timeout=PATIENCE)
    try:
        yield
    finally:
        board.run(cure, timeout=PATIENCE)


def test_a_healthy_device_has_no_findings(healthy):
    found = {}

    def is_well():
        nonlocal found
        found = doctor(healthy, "")
        return not found

    with contextlib.suppress(Exception):
        wait_until("nothing is wrong", is_well, PATIENCE, interval=1)
    assert found == {}


# MARK: The camera


@pytest.mark.parametrize("code, values", [
    ("black", {"test_pattern": BLACK, "osd_text_mode": NO_TEXT}),
    ("white", {"test_pattern": WHITE, "osd_text_mode": NO_TEXT}),
    ("blank", {"test_pattern": RED, "osd_text_mode": NO_TEXT}),
    ("frozen", {"horizontal_movement": STANDS_STILL, "osd_text_mode": NO_TEXT}),
    ("slow", {"percentage_of_dropped_buffers": 60}),
])
def test_what_the_camera_gives(healthy, code, values):
    controls(healthy, **values)
    try:
        assert is_found(healthy, "camera", code)
    finally:
        controls(healthy, test_pattern=COLOURS, osd_text_mode=ALL_TEXT, horizontal_movement=MOVES,
                 percentage_of_dropped_buffers=0)


@pytest.mark.long
def test_the_camera_is_not_there(healthy):
    driver = "/sys/bus/platform/drivers/vivid"
    with planted(healthy, f"echo vivid.0 >{driver}/unbind", f"echo vivid.0 >{driver}/bind"):
        assert is_found(healthy, "camera", "missing")


@pytest.mark.long
def test_the_camera_may_not_be_opened(healthy):
    with planted(healthy, "systemctl stop edge-agent; chmod 0 /dev/video0; systemctl start edge-agent",
                 "chmod 660 /dev/video0"):
        assert is_found(healthy, "camera", "notPermitted")


@pytest.mark.long
def test_another_program_has_the_camera(healthy):
    healthy.run("systemctl stop edge-agent", timeout=PATIENCE)
    pid = healthy.start("v4l2-ctl -d /dev/video0 --stream-mmap --stream-to=/dev/null", "camera.log")
    try:
        healthy.run("systemctl start edge-agent", timeout=PATIENCE)
        assert is_found(healthy, "camera", "busy")
    finally:
        healthy.run(f"kill {pid}")


# MARK: The microphone


@pytest.mark.long
@pytest.mark.parametrize("code, edit", [
    ("missing", "s/CARD=Loopback,DEV=1/CARD=Nobody,DEV=1/"),
])
def test_the_microphone_is_not_there(healthy, code, edit):
    with configured(healthy, edit):
        assert is_found(healthy, "sound", code)


@pytest.mark.long
def test_another_program_has_the_microphone(healthy):
    healthy.run("systemctl stop edge-agent", timeout=PATIENCE)
    # The card has several for as many programs.
    pid = healthy.start(
        "sh -c 'for place in 0 1 2 3 4 5 6 7; do "
        "arecord -q -D hw:CARD=Loopback,DEV=1,SUBDEV=$place -f S16_LE -r 16000 -c 1 /dev/null & done; wait'", "arecord.log")
    try:
        healthy.run("systemctl start edge-agent", timeout=PATIENCE)
        assert is_found(healthy, "sound", "busy")
    finally:
        healthy.run(f"kill -- -{pid}")


# MARK: The encoder


@pytest.mark.long
def test_the_encoder_is_too_slow(healthy):
    with configured(healthy, "s/preset: ultrafast/preset: veryslow/; s/size: 640x360/size: 1280x720/"):
        assert is_found(healthy, "encoder", "tooSlow")


# MARK: Disks


STATE = "/var/lib/edge-agent"
UNIT = "/run/systemd/system/edge-agent.service.d"


@contextlib.contextmanager
def unit(board, lines: str):
    """With lines of its own for the service."""
    reload = "systemctl daemon-reload"
    with planted(
        board, f"mkdir -p {UNIT}; printf '[Service]\\n{lines}\\n' >{UNIT}/test.conf; {reload}",
        f"rm {UNIT}/test.conf; {reload}",
    ):
        restart(board)
        yield
    restart(board)


def test_the_disk_is_full(healthy):
    fill = f"fallocate -l $(df --output=avail -B1 {STATE} | tail -n 1) {STATE}/fill || true; " \
           f"dd if=/dev/zero of={STATE}/fill2 bs=64k 2>/dev/null || true"
    with planted(healthy, fill, f"rm -f {STATE}/fill {STATE}/fill2"):
        assert is_found(healthy, "storage", "full")


@pytest.mark.long
def test_the_disk_is_read_only(healthy):
    with unit(healthy, "ReadOnlyPaths=/var/lib/edge-agent"):
        assert is_found(healthy, "storage", "readOnly")


def test_the_folder_is_somebody_elses(healthy):
    owner = f"$(stat -c %u:%g {STATE})"
    with planted(healthy, f"echo {owner} >/run/tests/owner; chown 0:0 {STATE}",
                 f"chown $(cat /run/tests/owner) {STATE}"):
        assert is_found(healthy, "storage", "notPermitted")


@pytest.mark.long
def test_the_recordings_disk_is_not_mounted(healthy):
    with configured(healthy, "$ a recording: {folder: /var/lib/edge-agent/card, requiresMount: true}"), planted(
        healthy, f"sed -i 's/^    sub: false/    sub: false\\n    recording: {{main: {{mode: continuous}}}}/' {CONFIGURATION}; "
        "systemctl restart edge-agent", "true",
    ):
        assert is_found(healthy, "storage", "missing")


# MARK: The network


def test_no_route_leads_out(healthy):
    # Over IPv6 the router tells of itself again and again.
    switch = "echo {} >/proc/sys/net/ipv6/conf/all/disable_ipv6"
    with planted(
        healthy, f"ip route show default >/run/tests/route; ip route del default; {switch.format(1)}; "
        "ip -6 route del default 2>/dev/null || true",
        f"ip route add $(head -n 1 /run/tests/route); {switch.format(0)}",
    ):
        assert is_found(healthy, "network", "noRoute")


def test_the_gateway_is_silent(healthy):
    with planted(healthy, "ip route show default >/run/tests/route; ip route replace default via 10.0.2.77",
                 "ip route replace $(head -n 1 /run/tests/route)"):
        assert is_found(healthy, "network", "gatewaySilent")


def test_packets_are_small(healthy):
    interface = "$(ip -o -4 addr show scope global | head -n 1 | awk '{print $2}')"
    with planted(healthy, f"ip link set {interface} mtu 600", f"ip link set {interface} mtu 1500"):
        assert is_found(healthy, "network", "smallPackets")


@pytest.mark.long
def test_the_way_in_is_open(healthy):
    with configured(healthy, "s/open: false/open: true/"):
        assert is_found(healthy, "network", "open")


def test_a_services_name_is_unknown(healthy):
    with configured(healthy, "s|^push: {}|push: {defaultTarget: rtmp://media.invalid/live/a}|"):
        assert is_found(healthy, "network", "nameUnknown")


@pytest.mark.long
def test_a_service_refuses(healthy):
    with configured(healthy, "s|^push: {}|push: {defaultTarget: rtmp://127.0.0.1:1/live/a}|"):
        assert is_found(healthy, "network", "refused")


@pytest.mark.long
def test_the_broker_is_away(healthy):
    with configured(healthy, "$ a rendezvous: {broker: mqtt://127.0.0.1:2}"):
        found = doctor(healthy, "network")
        assert "broker" in found["refused"]["subject"]


def test_a_push_waits(healthy):
    with planted(healthy, "edgectl push open rtmp://127.0.0.1:1/live/a --async", "edgectl push close --all"):
        assert is_found(healthy, "network", "pushWaits")


# MARK: Time


def test_the_clock_is_wrong(healthy):
    # Back by what the monotonic clock says has gone by.
    with planted(
        healthy, "echo $(date +%s) $(cut -d. -f1 /proc/uptime) >/run/tests/time; date -s '2020-01-01 00:00:00'",
        "read wall up </run/tests/time; date -s @$((wall + $(cut -d. -f1 /proc/uptime) - up))",
    ):
        assert is_found(healthy, "clock", "past")


def test_nobody_has_set_the_clock(healthy):
    mark = "/run/systemd/timesync/synchronized"
    with planted(healthy, f"rm {mark}", f"touch {mark}"):
        assert is_found(healthy, "clock", "notSynchronised")


# MARK: The motor


@pytest.mark.long
def test_the_motor_is_not_there(healthy):
    with configured(
        healthy, "s|^    sub: false|    sub: false\\n    ptz: {driver: pelco-d, serial: {device: /dev/ttyUSB7}}|"
    ):
        assert is_found(healthy, "motor", "fault")


# MARK: The agent


@pytest.mark.long
def test_the_agent_does_not_run(healthy):
    with planted(healthy, "systemctl stop edge-agent", "systemctl start edge-agent"):
        assert set(doctor(healthy, "agent")) == {"notRunning", "noAnswer"}


def test_the_configuration_has_mistakes(healthy):
    with planted(healthy, f"echo 'chanels: []' >>{CONFIGURATION}", f"cp -p /run/tests/doctor.yaml {CONFIGURATION}"):
        found = doctor(healthy, "agent")
        assert "chanels" in found["configuration"]["text"]


def test_a_user_who_may_not_ask(healthy):
    status, output = healthy.execute("setpriv --reuid nobody --regid nogroup --clear-groups edgectl doctor agent --json")
    assert status == 1
    assert "notAllowed" in [finding["code"] for finding in json.loads(output.splitlines()[-1])]


@pytest.mark.long
def test_the_microphone_hears_nothing_or_too_much(board, healthy):
    # Last, since the sound that all others hear is stopped.
    board.run("pkill aplay")
    assert is_found(board, "sound", "silent")
    with playing(board, sound_file(board, "loud", 3)):
        assert is_found(board, "sound", "clipping")
