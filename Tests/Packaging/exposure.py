"""Reads what `systemd-analyze security` prints."""

import re


def exposure(report: str) -> float:
    """The overall exposure, 0 (none) to 10."""
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)", report)
    assert found is not None, f"systemd-analyze gave no figure:\n{report}"
    return float(found[1])
