"""The request grammar's conformance list, point by point, with the real agent; and what only the agent's own side shows."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Conformance"))

from conformance.__main__ import run, run_points  # noqa: E402
from conformance.peer import PeerVisitor  # noqa: E402
from conformance.report import Report  # noqa: E402
from harness.agent import Agent, synthetic_channel  # noqa: E402
from harness.recordings import Recordings  # noqa: E402

CHANNELS = [
    synthetic_channel(number, sub={"size": "640x360", "frameRate": 25, "bitrate": 400000, "preset": "ultrafast"},
                      main={"size": "640x360"}, ptz={"driver": "simulated"}, recording={"main": {"mode": "continuous"}})
    for number in (0, 1)
]


def test_conformance(agent, capsys, tmp_path: Path) -> None:
    one: Agent = agent({"channels": CHANNELS, "recording": {"segmentSeconds": 10, "folder": str(tmp_path)},
                        "server": {"viewerLimit": 4}, "talk": {"speaker": "null"}})
    with capsys.disabled():
        print()
        Recordings(one).wait_for_files(2)
        report: Report = run(one.url)
    wrong = [str(result) for result in report.results if result.outcome != "passed"]
    assert len(report.results) >= 17 and not wrong, "\n".join(wrong)


def test_conformance_over_peer_links(agent, capsys, tmp_path: Path) -> None:
    one: Agent = agent({"channels": CHANNELS, "recording": {"segmentSeconds": 10, "folder": str(tmp_path)},
                        "server": {"viewerLimit": 4}, "talk": {"speaker": "null"}, "peers": {"limit": 100}})
    with capsys.disabled():
        print()
        Recordings(one).wait_for_files(2)
        report = run_points(one.url, PeerVisitor, Report(), PeerVisitor.close_all)
    wrong = [str(result) for result in report.results if result.outcome != "passed"]
    assert len(report.results) == 17 and not wrong, "\n".join(wrong)
