"""A device that is found over a broker: presence, offers, commands and events, and what becomes of them when the broker
or the device is gone for a while."""

import os
import signal
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
        device = agent({"channels": [synthetic_channel()], "rendezvous": broker.settings, **changes})
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
    device, client = meet(broker)
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
    peer.close()
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
