"""Documents for people in the field: the guide names every finding that the doctor has, the dashboard what /metrics has."""

import json
import re

from conftest import REPOSITORY

SOURCES = [*(REPOSITORY / "Sources" / "Diagnostics").glob("*.swift"),
           REPOSITORY / "Sources" / "edgectl" / "ServiceExamination.swift"]


def test_every_finding_is_in_the_guide():
    known = set()
    for path in SOURCES:
        text = path.read_text()
        known |= set(re.findall(r'FindingReport\(\s*(?:\.\w+|area),\s*"(\w+)"', text))
        known |= set(re.findall(r'\b(?:add|finding)\(\s*"(\w+)",\s*\.', text))
        known |= set(re.findall(r'\btrouble\(\s*"(\w+)",', text))
    assert len(known) > 40
    guide = (REPOSITORY / "Documentation" / "FieldGuide.md").read_text()
    told = {word for line in guide.splitlines() if line.startswith("|")
            for word in re.findall(r"`([a-zA-Z]+)`", line.split("|")[2])}
    assert known - told == set()
    assert told - known == set()


def test_the_dashboard_asks_for_what_there_is():
    dashboard = json.loads((REPOSITORY / "Documentation" / "grafana-dashboard.json").read_text())
    asked = {name.removesuffix("_bucket") for panel in dashboard["panels"] for target in panel["targets"]
             for name in re.findall(r"\b(?:edge_agent|process)_\w+", target["expr"])}
    assert len(asked) > 20
    known = {name for path in (REPOSITORY / "Sources" / "WebServer").glob("*Metrics.swift")
             for name in re.findall(r'"((?:edge_agent|process)_\w+)"', path.read_text())}
    assert asked - known == set()
