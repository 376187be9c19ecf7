"""What the doctor says of the ways to viewers, behind routers of every kind and with servers that are well or not."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from harness.agent import Agent, synthetic_channel
from harness.network import OTHER_SERVER, PASSWORD, PORT, SERVER, USER, Internet

UDP, TCP = f"turn:{SERVER}:{PORT}", f"turn:{SERVER}:{PORT}?transport=tcp"


@pytest.fixture(scope="module")
def internet() -> Iterator[Internet]:
    internet = Internet()
    yield internet
    internet.remove()


def examine(internet: Internet, namespace: str | None = None, **peers: Any) -> list[dict[str, Any]]:
    device = Agent(
        {"channels": [synthetic_channel()], "peers": {"relayUser": USER, "relayPassword": PASSWORD, **peers}},
        prefix=["ip", "netns", "exec", namespace or internet.device])
    try:
        answer = device.edgectl("doctor", "p2p")
        print(answer.stdout, answer.stderr, flush=True)
        report = device.edgectl("doctor", "p2p", "--json")
        findings = json.loads(report.stdout)
        verdicts = {finding["verdict"] for finding in findings}
        assert report.returncode == (1 if "failure" in verdicts else 2 if "warning" in verdicts else 0), report.stderr
        assert all(finding.get("advice") or finding["verdict"] == "ok" for finding in findings)
        assert PASSWORD not in answer.stdout + device.log()
        return findings
    finally:
        device.stop()
        device.remove()


def codes(findings: list[dict[str, Any]]) -> list[str]:
    return [finding["code"] for finding in findings]


@pytest.mark.parametrize("router, with_relay, without_relay", [
    ("plain", ["ok", "ok", "ok"], ["ok", "noRelay"]),
    ("symmetric", ["ok", "ok", "relayedOnly"], ["ok", "noWay"]),
    ("noUDP", ["silent", "ok", "noUDP"], ["silent", "noWay"]),
])
def test_the_kind_of_router(
        internet: Internet, router: str, with_relay: list[str], without_relay: list[str]) -> None:
    internet.routers["device"].become(router)
    findings = examine(internet, stun=f"{SERVER}:{PORT}", relays=[TCP if router == "noUDP" else UDP])
    assert codes(findings) == with_relay
    if router != "noUDP":
        assert "sees this device at 203.0.113.1:" in findings[0]["text"]
    assert f"grants the address {SERVER}:4" in findings[1]["text"]
    assert codes(examine(internet, stun=f"{SERVER}:{PORT}")) == without_relay


def test_no_router(internet: Internet) -> None:
    findings = examine(internet, namespace=internet.public, stun=f"{SERVER}:{PORT}")
    assert codes(findings) == ["ok", "ok"] and "no router" in findings[1]["text"]


def test_two_servers_tell_the_kind_as_well(internet: Internet) -> None:
    """Each of the server's addresses is taken for a server of its own."""
    for router, code in (("plain", "ok"), ("symmetric", "relayedOnly")):
        internet.routers["device"].become(router)
        findings = examine(internet, stun=f"{OTHER_SERVER}:{PORT}", relays=[UDP])
        assert codes(findings) == ["ok", "ok", code]


def test_servers_that_are_not_well(internet: Internet) -> None:
    internet.routers["device"].become("plain")
    findings = examine(internet, stun=f"{SERVER}:{PORT}", relays=[UDP, TCP], relayPassword="wrong")
    assert codes(findings) == ["ok", "wrongCredentials", "wrongCredentials", "noRelay"]
    # Nobody at these ports, nobody at this address.
    findings = examine(
        internet, stun="203.0.113.99:3478",
        relays=[f"turn:{SERVER}:9", f"turn:{SERVER}:9?transport=tcp", "turn:203.0.113.99:3478?transport=tcp"])
    assert codes(findings)[0] == "silent" and codes(findings)[-1] == "noWay"
    assert set(codes(findings)[1:4]) <= {"unreachable", "silent"} and codes(findings)[2] == "unreachable"
    assert "refused" in findings[2]["text"]


def test_a_device_without_servers(internet: Internet) -> None:
    findings = examine(internet)
    assert codes(findings) == ["ok"] and "within the device's network only" in findings[0]["text"]
