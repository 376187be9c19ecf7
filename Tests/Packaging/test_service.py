"""What the service may do, judged from its unit alone."""

import subprocess
from pathlib import Path

from exposure import exposure

UNITS = "usr/lib/systemd/system"


def test_the_service_is_confined(package_root: Path):
    unit = package_root / UNITS / "edge-agent.service"
    report = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", unit],
        check=True, capture_output=True, text=True, timeout=60,
    ).stdout
    assert exposure(report) <= 2.0, report


def test_only_cameras_and_sound_cards_are_allowed(package_root: Path):
    lines = (package_root / UNITS / "edge-agent.service").read_text().splitlines()
    assert "DevicePolicy=closed" in lines
    assert [line for line in lines if line.startswith("DeviceAllow=")] == [
        "DeviceAllow=char-video4linux rw", "DeviceAllow=char-alsa rw",
    ]
