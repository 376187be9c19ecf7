"""Who may connect peer to peer, where the device has a key for tickets."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import tickets
from harness.agent import Agent, synthetic_channel
from harness.peer import Peer, Refused
from harness.viewers import fetch


@pytest.fixture
def connect() -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def start(agent: Agent, *arguments: Any, **named: Any) -> Peer:
        peers.append(Peer(agent.url, *arguments, **named))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()


@pytest.fixture
def device(agent: Callable[..., Agent]) -> Agent:
    return agent({"channels": [synthetic_channel(0), synthetic_channel(1)], "peers": {"ticketKey": tickets.KEY}})


def name(device: Agent) -> str:
    identity = device.get("/status")["device"]
    return identity.get("id") or identity["name"]


def refusal(device: Agent, **arguments: Any) -> Refused:
    with pytest.raises(Refused) as refused:
        Peer(device.url, **arguments)
    return refused.value


def test_a_ticket_of_the_device(device: Agent, connect: Callable[..., Peer]) -> None:
    ticket = device.edgectl("p2p", "ticket", "--seconds", "60").stdout.strip()
    assert ticket.startswith("XP2P") and "%" in ticket
    peer = connect(device, ticket=ticket)
    peer.request("GET ipc.flv?action=live&channel=1").read_seconds(0.5)
    # Who brought it may come again, nobody else may.
    peer.close()
    again = connect(device, ticket=ticket, certificate=peer.certificate)
    assert again.request("GET ipc.flv?action=live&channel=1").status == 200
    assert refusal(device, ticket=ticket).status == 401


def test_a_ticket_of_a_service(device: Agent, connect: Callable[..., Peer]) -> None:
    peer = connect(device, ticket=tickets.make(name(device), rights=["live", "command"], channel=1))
    assert peer.request("GET ipc.flv?action=live&channel=1").status == 200
    assert peer.command("action=inner_define&channel=1&cmd=get_device_st&type=live")[0]["status"] == "0"
    for label in ("GET ipc.flv?action=live&channel=0", "GET ipc.flv?action=live", "VOICE channel=1",
                  "GET ipc.flv?action=playback&channel=1&start_time=1&end_time=100",
                  "GET ipc.flv?action=download&channel=1&file_name=a", "COMMAND action=inner_define&cmd=get_device_st",
                  'COMMAND action=user_define&channel=1&cmd={"topic":"ptz"}'):
        assert peer.request(label).status == 403, label
    # A refusal leaves the link as it was.
    assert peer.request("GET ipc.flv?action=live&channel=1").status == 200


def test_what_is_wrong_is_refused_and_says_nothing(device: Agent) -> None:
    mine = name(device)
    wrong = [
        tickets.make(mine, key="x" * 32), tickets.make("another"), tickets.make(mine, seconds=-1),
        tickets.make(mine, seconds=90_000), "XP2P%2.4.33", tickets.make(mine) + "A",
    ]
    answers = {refusal(device, ticket=ticket).body for ticket in wrong for _ in range(3)}
    assert len(answers) == 1, answers
    assert refusal(device).status == 401
    # An offer that was overheard is no good a second time, whoever sends it.
    offers: list[str] = []
    ticket = tickets.make(mine)
    Peer(device.url, ticket=ticket, alter=lambda text: offers.append(text) or text).close()
    status, headers, _ = fetch(
        f"{device.url}/p2p", method="POST", body=offers[0].encode(),
        headers={"Content-Type": "application/sdp", "Authorization": f"Bearer {ticket}"})
    assert status == 401 and headers["www-authenticate"] == "Bearer"
    # One line for each kind: another key, another device, expired, too long, unreadable, none, used before.
    assert device.log().count("a peer's ticket was refused") == 7
    assert ticket not in device.log() and tickets.KEY not in device.log()


def test_a_restart_makes_no_ticket_good_again(
        agent: Callable[..., Agent], connect: Callable[..., Peer], tmp_path: Path) -> None:
    configuration = {
        "channels": [synthetic_channel()], "peers": {"ticketKey": tickets.KEY}, "state": {"folder": str(tmp_path / "state")}}
    device = agent(configuration)
    ticket = tickets.make(name(device))
    peer = connect(device, ticket=ticket)
    peer.request("GET ipc.flv?action=live&channel=0").read_seconds(0.5)
    kept = (tmp_path / "state" / "peer-tickets").read_text()
    # What it is, the ticket, and the sum.
    assert len(kept.splitlines()) == 3 and ticket.split(".")[2] not in kept
    # As if the power failed.
    device.process.kill()
    device.process.wait()
    device = agent(configuration)
    assert refusal(device, ticket=ticket).status == 401
    assert "it was used before" in device.log()
    again = connect(device, ticket=ticket, certificate=peer.certificate)
    assert again.request("GET ipc.flv?action=live&channel=0").status == 200
    # A disk that takes nothing keeps nobody out.
    device.terminate()
    (tmp_path / "state" / "peer-tickets").unlink()
    (tmp_path / "state" / "peer-tickets").mkdir()
    device = agent(configuration)
    assert connect(device, ticket=ticket).request("GET ipc.flv?action=live&channel=0").status == 200
    assert device.log().count("used tickets are not kept over a restart") >= 1


def test_without_a_key_there_are_no_tickets(agent: Callable[..., Agent], connect: Callable[..., Peer]) -> None:
    device = agent({"channels": [synthetic_channel()]})
    answer = device.edgectl("p2p", "ticket")
    assert answer.returncode == 1 and "noTicketKey" in answer.stderr
    assert connect(device, ticket="nonsense").request("GET ipc.flv?action=live&channel=0").status == 200
