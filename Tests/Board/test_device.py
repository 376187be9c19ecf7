"""The device as it comes out of Scripts/image: its start, its devices, its protection, what it writes and takes."""

import concurrent.futures
import json
import time

from board import wait_until
from recording import stream_arrives

PATIENCE = 90
# From the kernel's start to the agent's readiness, in seconds of emulation.
READY_WITHIN = 60
EXPOSURE_LIMIT = 2.0
MEMORY_LIMIT = 40e6


def test_the_agent_is_ready_within_a_minute(board, figures):
    figures.section("board")["firstBoot"] = vars(board.first_boot)
    assert board.first_boot.agent <= READY_WITHIN, board.first_boot


def test_nothing_has_failed(board):
    # Everything has started, or given up.
    board.run("systemctl is-system-running --wait", timeout=PATIENCE)
    assert board.run("systemctl --failed --no-legend --plain") == ""


def test_the_service_is_protected(board, figures):
    text = board.run("systemd-analyze security --no-pager edge-agent.service | tail -n 1", timeout=PATIENCE)
    exposure = float(text.split(":")[1].split()[0])
    figures.section("board")["exposure"] = exposure
    assert exposure <= EXPOSURE_LIMIT, text


def test_all_kinds_of_devices_are_listed(board):
    devices = json.loads(board.run("edge-agent devices --json", timeout=PATIENCE))
    assert [camera["driver"] for camera in devices["cameras"]] == ["vivid"]
    assert "plughw:CARD=Loopback,DEV=1" in [microphone["device"] for microphone in devices["microphones"]]
    assert devices["gpioChips"] == ["/dev/gpiochip0"]
    assert "/dev/ttyUSB0" in devices["serialPorts"]


def test_the_serial_port_passes_bytes_both_ways(board):
    every_byte = bytes(range(256))
    script = (
        "exec 3<>/dev/ttyUSB0; stty raw -echo 115200 <&3; printf 'ready\\n' >&3; "
        f"head -c {len(every_byte)} <&3 | od -An -v -t u1"
    )
    with board.serial() as line, concurrent.futures.ThreadPoolExecutor() as pool:
        answer = pool.submit(board.run, script)
        heard = b""
        while not heard.endswith(b"ready\n"):
            byte = line.recv(1)
            assert byte, "the line was closed"
            heard += byte
        line.sendall(every_byte)
        assert bytes(map(int, answer.result(PATIENCE).split())) == every_byte


def sectors_written(board) -> dict[str, int]:
    """By partition, and of the whole disk, since the start."""
    lines = board.run(
        "sync; for i in /sys/block/vda/stat /sys/block/vda/vda*/stat; do echo $(basename $(dirname $i)) $(cat $i); done")
    return {words[0]: int(words[7]) for words in map(str.split, lines.splitlines())}


def test_nothing_is_written_outside_the_data_partition(board, service, pushing, full, figures, tmp_path):
    """The disk's own counters, while the agent pushes."""
    assert stream_arrives(service.address("board"), tmp_path, PATIENCE)
    wait_until("the system is confirmed", board.is_confirmed, PATIENCE)
    seconds = 300 if full else 10
    before, began = sectors_written(board), time.monotonic()
    # This is how long is looked, not a wait for anything.
    time.sleep(seconds)
    after, lasted = sectors_written(board), time.monotonic() - began
    written = {name: after[name] - before[name] for name in after}
    figures.section("board")["writes"] = {
        "seconds": round(lasted), "dataPartitionBytes": written.pop("vda4") * 512,
        "elsewhereBytes": sum(count for name, count in written.items() if name != "vda") * 512,
    }
    data = figures.section("board")["writes"]["dataPartitionBytes"]
    assert written.pop("vda") * 512 == data, "something is written past the partitions"
    assert set(written.values()) == {0}, written


def test_memory_of_one_channel(board, service, pushing, full, figures, viewer, tmp_path):
    """One 640x360 channel with main and sub, a push of the main stream; then a viewer of the sub stream as well."""
    board.run(
        "cp -p /etc/edge-agent/edge-agent.yaml /run/tests/before.yaml; "
        "sed -i 's|^    sub: false|    sub: {size: 320x180, frameRate: 15, bitrate: 200000}|' "
        "/etc/edge-agent/edge-agent.yaml; systemctl restart edge-agent", timeout=PATIENCE)
    try:
        memory = figures.section("board-memory")
        memory["main"] = "640x360 15/s, 800 kbit/s, ultrafast"
        memory["sub"] = "320x180 15/s, 200 kbit/s"
        board.run("edgectl push list --json | grep -q publishing || edgectl push open", timeout=PATIENCE)
        assert stream_arrives(service.address("board"), tmp_path, PATIENCE)
        memory["push"] = resident_memory(board, full)
        with viewer(board.http_port, "action=live&channel=0&quality=standard"):
            wait_until("both streams are encoded", lambda: all(
                stream["encoding"] for stream in json.loads(board.run("edgectl channels --json"))[0]["streams"]), PATIENCE)
            memory["pushAndSubViewer"] = resident_memory(board, full)
        for name in ("push", "pushAndSubViewer"):
            assert memory[name]["residentBytes"] <= MEMORY_LIMIT, memory
    finally:
        board.run(
            "cp -p /run/tests/before.yaml /etc/edge-agent/edge-agent.yaml; systemctl restart edge-agent",
            timeout=PATIENCE)


def resident_memory(board, full) -> dict[str, int]:
    """Of the agent, after it has worked for a while."""
    time.sleep(60 if full else 5)
    pid = board.agent_pid()
    text = board.run(f"cat /proc/{pid}/status /proc/{pid}/smaps_rollup")
    sizes = {line.split(":")[0]: line.split(":")[1].split() for line in text.splitlines() if line.endswith("kB")}
    names = {"residentBytes": "VmRSS", "peakBytes": "VmHWM", "anonymousBytes": "RssAnon", "fileBytes": "RssFile",
             "proportionalBytes": "Pss"}
    return {name: int(sizes[key][0]) * 1024 for name, key in names.items()}
