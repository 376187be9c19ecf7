"""A device that is found over a broker: presence, offers, commands and events, and what becomes of them when the broker
or the device is gone for a while."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness import tickets
from harness.agent import Agent, synthetic_channel
from harness.broker import Broker, Client
from harness.media_service import MediaService
from harness.peer import Peer
from harness.waiting import wait_until


@pytest.fixture(params=[False, True], ids=["password", "certificate"])
def broker(request: pytest.FixtureRequest) -> Iterator[Broker]:
    broker = Broker(tls=request.param)
    yield broker
    print(broker.log()[-4000:])
    broker.remove()


@pytest.fixture
def meet(agent: Callable[..., Agent]) -> Iterator[Callable[..., tuple[Agent, Client]]]:
    clients: list[Client] = []

    def start(broker: Broker, **changes: Any) -> tuple[Agent, Client]:
        device = agent({"channels": [synthetic_channel()], "rendezvous": broker.settings, "access": {"open": True}, **changes})
        identity = device.status()["device"]
        clients.append(Client(broker, identity.get("id") or identity["name"]))
        wait_until(lambda: clients[-1].is_online, "the device's presence", 15)
        return device, clients[-1]

    yield start
    for client in clients:
        client.close()


def test_a_viewer_finds_the_device(broker: Broker, meet: Callable[..., tuple[Agent, Client]]) -> None:
    device, client = meet(broker, peers={"ticketKey": tickets.KEY})
    said = client.messages["presence"][-1]
    assert said["channels"] == [0] and said["needsTicket"] is True
    status, ticket = client.command("POST", "/api/v1/peers/tickets", {"seconds": 60, "rights": ["live"]})
    assert status == 201
    peer = Peer(device.url, exchange=client.exchange(ticket["ticket"]))
    try:
        peer.request("GET ipc.flv?action=live&channel=0").read_seconds(0.5)
        assert client.command("GET", "/api/v1/peers")[1][0]["state"] == "open"
    finally:
        peer.close()
    assert client.ask("offers", "answers", {"sdp": peer.connection.localDescription.sdp})["status"] == 401
    assert client.ask("offers", "answers", {"sdp": "v=0"})["status"] == 400


def test_what_a_viewer_needs_stands_at_the_broker(broker: Broker, meet: Callable[..., tuple[Agent, Client]]) -> None:
    """As with `_sys_xp2p_info`: whoever may read it there may connect, and it is renewed before it ends."""
    device, client = meet(
        broker, peers={"ticketKey": tickets.KEY, "stun": "stun.example.org"},
        rendezvous={**broker.settings, "infoRights": ["live"], "infoSeconds": 10})
    (info, *_) = wait_until(lambda: client.messages.get("info"), "what a viewer needs", 10)
    assert info["needsTicket"] is True and info["iceServers"] == [{"urls": ["stun:stun.example.org:3478"]}]
    ticket = info["_sys_xp2p_info"]
    assert ticket.startswith("XP2P") and ticket.endswith(f"%{device.status()['version']}")
    assert 0 < info["expires"] - time.time() <= 10
    # For more than one viewer, and for what it allows only.
    peers = [Peer(device.url, exchange=client.exchange(ticket)) for _ in range(2)]
    try:
        for peer in peers:
            assert peer.request("GET ipc.flv?action=live&channel=0").status == 200
            assert peer.request("VOICE channel=0").status == 403
    finally:
        for peer in peers:
            peer.close()
    # An offer that was overheard is no good a second time.
    offer = peers[0].connection.localDescription.sdp
    assert client.ask("offers", "answers", {"sdp": offer, "ticket": ticket})["status"] == 401
    newer = wait_until(lambda: client.messages["info"][-1]["_sys_xp2p_info"] != ticket and client.messages["info"][-1],
                       "another ticket", 8)
    assert newer["expires"] > info["expires"]
    shown = json.loads(device.edgectl("p2p", "info", "--json").stdout)
    assert shown["topic"] == f"{client.base}/info" and shown["_sys_xp2p_info"].startswith("XP2P")
    assert "Until" in device.edgectl("p2p", "info").stdout
    assert ticket not in device.log() and tickets.KEY not in device.log()
    # With the device it goes.
    assert device.terminate()[0] == 0
    wait_until(lambda: client.messages["info"][-1] is None, "nothing", 5)


def test_without_a_wish_no_ticket_is_published(meet: Callable[..., tuple[Agent, Client]]) -> None:
    broker = Broker()
    try:
        device, client = meet(broker, peers={"ticketKey": tickets.KEY})
        (info, *_) = wait_until(lambda: client.messages.get("info"), "what a viewer needs", 10)
        assert info == {"device": info["device"], "needsTicket": True, "iceServers": []}
        assert "edgectl p2p ticket" in device.edgectl("p2p", "info").stdout
    finally:
        broker.remove()


def test_a_fleet_is_run(
        broker: Broker, meet: Callable[..., tuple[Agent, Client]], media_service: Callable[..., MediaService]) -> None:
    service = media_service()
    device, client = meet(broker)
    status, push = client.command(
        "POST", "/api/v1/pushes", {"channel": 0, "target": f"rtmp://127.0.0.1:{service.port}/live/fleet"})
    assert status == 201 and push["state"] == "publishing", push
    assert client.command("GET", f"/api/v1/pushes/{push['id']}")[1]["state"] == "publishing"
    assert client.command("GET", "/api/v1/status")[1]["rendezvous"] == "connected"
    assert client.command("DELETE", f"/api/v1/pushes/{push['id']}")[0] == 200
    wait_until(lambda: len(client.messages.get("events", [])) >= 2, "events", 10)
    assert {event["push"]["id"] for event in client.messages["events"] if event.get("push")} == {push["id"]}
    # What is no business of a fleet's service, or is none at all.
    for method, path in (("GET", "/api/v1/channels/0/snapshot"), ("GET", "/metrics"), ("POST", "/api/v1/talk"),
                         ("GET", "/api/v1/events"), ("DELETE", "/api/v1/talk"), ("GET", "/api/v1/../v1/status")):
        assert client.command(method, path)[0] == 404, path
    assert client.command("PUT", "/api/v1/status")[0] == 400


def test_a_broker_that_restarts(broker: Broker, meet: Callable[..., tuple[Agent, Client]]) -> None:
    device, client = meet(broker, server={"viewerLimit": 1})
    peer = Peer(device.url, exchange=client.exchange())
    live = peer.request("GET ipc.flv?action=live&channel=0")
    live.read_seconds(0.5)
    broker.stop()
    wait_until(lambda: device.status()["rendezvous"].startswith("away"), "that the device notices", 10)
    # A link needs no broker.
    live.read_seconds(0.5)
    client.messages.clear()
    broker.start()
    wait_until(lambda: device.status()["rendezvous"] == "connected", "the device's return", 20)
    # Nothing was retained, so the device must have said it again.
    wait_until(lambda: client.is_online, "the device's presence", 15)
    assert client.command("GET", "/api/v1/status")[0] == 200
    live.read_seconds(0.5)
    # Offers find the device again, and the one place is free for the next viewer when the first has gone.
    other = Peer(device.url, exchange=client.exchange())
    assert other.request("GET ipc.flv?action=live&channel=0").status == 503
    peer.close()
    wait_until(lambda: other.request("GET ipc.flv?action=live&channel=0").status == 200, "a free place", 20, 0.5)
    other.close()
    wait_until(lambda: not device.viewers() and not device.get("/peers"), "nobody", 20)
    assert device.log().count("the broker is away") <= 2


def test_a_device_that_is_gone(broker: Broker, meet: Callable[..., tuple[Agent, Client]]) -> None:
    device, client = meet(broker)
    assert device.terminate()[0] == 0
    wait_until(lambda: client.is_online is False, "its farewell", 5)
    device, client = meet(broker)
    os.kill(device.pid, signal.SIGKILL)
    wait_until(lambda: client.is_online is False, "the broker's word", 10)


def test_a_broker_that_refuses(agent: Callable[..., Agent]) -> None:
    broker = Broker()
    try:
        device = agent({"channels": [synthetic_channel()], "rendezvous": {**broker.settings, "password": "wrong"}})
        wait_until(lambda: device.status()["rendezvous"].startswith("away"), "the refusal", 10)
        assert "wrong" not in device.log()
        assert device.terminate()[0] == 0
    finally:
        broker.remove()
