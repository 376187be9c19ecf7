"""The device records and its plug is pulled: what was finished is as it was, what was on the disk plays."""

import json
import random
import time
import urllib.parse
import urllib.request

import pytest

from board import wait_until
from recording import Recording

PATIENCE = 120
CONFIGURATION = "/etc/edge-agent/edge-agent.yaml"
FOLDER = "/var/lib/edge-agent/recordings/channel-0"


@pytest.fixture
def recording(board):
    board.run(
        f"cp -p {CONFIGURATION} /var/tmp/before.yaml; "
        "sed -i 's|^    sub: false|&\\n    recording: {main: {mode: continuous}}|' " + CONFIGURATION + "; "
        f"printf 'recording: {{segmentSeconds: 10}}\\n' >>{CONFIGURATION}; sync {CONFIGURATION}; "
        "systemctl restart edge-agent", timeout=PATIENCE)
    yield
    board.run(f"cp -p /var/tmp/before.yaml {CONFIGURATION}; sync {CONFIGURATION}; systemctl restart edge-agent",
              timeout=PATIENCE)


def files(board) -> dict[str, dict]:
    """What the index says, by name."""
    return {file["name"]: file for file in json.loads(board.run("edgectl files list --all --json"))}


def grows(board) -> dict | None:
    """The file that is being written, once the first fragment of it is."""
    status, text = board.execute("edgectl files list --all --json")
    # The disk is opened shortly after the agent is ready.
    known = json.loads(text) if status == 0 else []
    return next((file for file in known if file["isGrowing"] and file["end"] > file["start"]), None)


def sums(board) -> dict[str, str]:
    lines = board.run(f"cd {FOLDER} && find . -name '*.mp4' -exec sha256sum {{}} +", timeout=PATIENCE).splitlines()
    return {name.removeprefix("./"): value for value, name in map(str.split, lines)}


def sizes(board) -> dict[str, int]:
    lines = board.run(f"cd {FOLDER} && find . -name '*.mp4' -exec stat -c '%s %n' {{}} +").splitlines()
    return {name.removeprefix("./"): int(size) for size, name in map(str.split, lines)}


def download(board, name: str, path):
    query = urllib.parse.urlencode({"action": "download", "channel": 0, "file_name": name})
    with urllib.request.urlopen(f"http://127.0.0.1:{board.http_port}/ipc.flv?{query}", timeout=PATIENCE) as answer:
        path.write_bytes(answer.read())


@pytest.mark.long
def test_power_cuts_while_recording(board, recording, figures, tmp_path):
    chance = random.Random()
    rounds = []
    for _ in range(20):
        before = wait_until("a file grows", lambda: grows(board), PATIENCE, interval=1)
        moment = chance.uniform(0, 12)
        # The moment is what is tried here.
        time.sleep(moment)
        known = files(board)
        finished = {name: value for name, value in sums(board).items()
                    if name in known and not known[name]["isGrowing"]}
        board.power_cut()
        board.boot()
        resumed = wait_until("recording goes on", lambda: grows(board), PATIENCE, interval=1)

        now = files(board)
        found = sums(board)
        assert {name: found.get(name) for name in finished} == finished, "a finished file has changed"
        # What was on the disk when the index was asked is there, and all of it plays.
        cut = max((file for file in known.values() if file["isGrowing"]), key=lambda file: file["start"], default=before)
        assert now[cut["name"]]["end"] >= cut["end"], json.dumps([cut, now[cut["name"]]])
        assert not now[cut["name"]]["isGrowing"]
        download(board, cut["name"], tmp_path / "cut.mp4")
        assert (tmp_path / "cut.mp4").stat().st_size == now[cut["name"]]["bytes"]
        assert Recording(tmp_path / "cut.mp4").decoding_errors() == ""
        on_disk = sizes(board)
        # A new file may have begun meanwhile.
        assert now.keys() <= on_disk.keys() <= files(board).keys()
        assert all(on_disk[name] == file["bytes"] for name, file in now.items()
                   if name != resumed["name"] and not file["isGrowing"])
        rounds.append({"second": round(moment, 1), "finishedFiles": len(finished),
                       "millisecondsKept": now[cut["name"]]["end"] - cut["start"]})
    figures.section("board")["powerCutsWhileRecording"] = rounds
