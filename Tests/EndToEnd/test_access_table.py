"""Everything that can be asked for, by those who may not: the table of Documentation/Security.md."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from harness import tickets
from harness.agent import Agent, synthetic_channel
from harness.peer import Peer, Refused
from harness.security_table import Row, rows
from harness.viewers import Connection

RIGHTS = ["live", "playback", "download", "talk", "ptz", "command", "control", "metrics"]
WEBSOCKET = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
             "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
OVER_TCP = [row for row in rows() if not row.operation.startswith("control ")]


class Entrance:
    """An agent that asks for tokens, and what there is to show it."""

    def __init__(self) -> None:
        self.agent = Agent({
            "channels": [synthetic_channel(ptz={"driver": "simulated"})], "access": {"open": False},
            "peers": {"ticketKey": tickets.KEY}})
        self._tokens: dict[str, str] = {}
        self._peers: dict[str, Peer] = {}
        try:
            self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        identity = self.agent.status()["device"]
        self.name = identity.get("id") or identity["name"]
        shown = json.loads(self.agent.edgectl("access", "show", "--json").stdout)
        self.tokens = {one["name"]: one["token"] for one in shown}
        self.used_ticket = tickets.make(self.name)
        self._peers["used"] = Peer(self.agent.url, ticket=self.used_ticket)

    def token_with(self, right: str) -> str:
        return self._token(f"with-{right}", [right] if right != "any" else ["live"])

    def token_without(self, right: str) -> str:
        # Who may do all that users can command may turn heads as well.
        others = [one for one in RIGHTS if one != right and not (right == "ptz" and one == "control")]
        return self._token(f"without-{right}", others)

    def _token(self, name: str, rights: list[str]) -> str:
        if name not in self._tokens:
            added = self.agent.edgectl("access", "add", name, "--rights", ",".join(rights))
            assert added.returncode == 0, added.stderr
            self._tokens[name] = added.stdout.strip()
        return self._tokens[name]

    def peer(self, name: str, rights: list[str], **claims: Any) -> Peer:
        if name not in self._peers:
            self._peers[name] = Peer(self.agent.url, ticket=tickets.make(self.name, rights=rights, **claims))
        return self._peers[name]

    def close(self) -> None:
        for peer in self._peers.values():
            peer.close()
        print(self.agent.log()[-20000:])
        self.agent.remove()


@pytest.fixture(scope="module")
def entrance() -> Iterator[Entrance]:
    entrance = Entrance()
    yield entrance
    entrance.close()


def ask(entrance: Entrance, row: Row, bearer: str | None = None, ticket: str | None = None,
        websocket: bool = False) -> tuple[int, str]:
    """Status and, of a refusal, its code."""
    target = quote(row.target, safe="/?&=")
    if ticket is not None:
        path, _, query = target.partition("?")
        target = f"{path}?ticket={ticket}&{query}"
    headers = {**(WEBSOCKET if websocket else {}), **({"Authorization": f"Bearer {bearer}"} if bearer else {})}
    connection = Connection(entrance.agent.url + target, headers, None, 15,
                            method="GET" if websocket else row.method)
    try:
        body = connection.rest_of_body() if connection.status >= 400 else b"{}"
        return connection.status, json.loads(body or b"{}").get("error", {}).get("code", "")
    finally:
        connection.socket.close()


def test_the_table_has_every_operation(entrance: Entrance) -> None:
    listed = json.loads(entrance.agent.edgectl("access", "operations", "--json").stdout)
    assert {(row.operation, row.right) for row in rows()} == {(one["operation"], one["right"]) for one in listed}
    assert len(rows()) == len(listed)


@pytest.mark.parametrize("websocket", [False, True], ids=["http", "websocket"])
@pytest.mark.parametrize("row", OVER_TCP, ids=str)
def test_over_http(entrance: Entrance, row: Row, websocket: bool) -> None:
    if websocket and not row.has_websocket:
        return
    status, code = ask(entrance, row, websocket=websocket)
    if row.right == "nothing":
        assert status not in (401, 403, 429), (status, code)
        return
    assert (status, code) == (401, "noToken")
    wrong = [
        # One that has ended.
        tickets.make(entrance.name, seconds=-1, use="url"),
        # One that a link was made with, by whoever overheard it.
        entrance.used_ticket,
        tickets.make("another", use="url"), tickets.make(entrance.name, seconds=90_000, use="url"),
    ]
    for ticket in wrong:
        if row.operation == "viewer offer":
            continue
        assert ask(entrance, row, bearer=ticket, websocket=websocket) == (401, "wrongToken")
        assert ask(entrance, row, ticket=ticket, websocket=websocket) == (401, "wrongToken")
    # A token is good, but not in an address.
    admin = entrance.tokens["admin"]
    assert ask(entrance, row, ticket=admin, websocket=websocket) == (401, "tokenInAddress")
    if row.right != "any":
        assert ask(entrance, row, bearer=entrance.token_without(row.right), websocket=websocket) == (403, "notAllowed")
        without = [right for right in tickets.ALL if right not in (row.right, "control" if row.right == "ptz" else "")]
        ticket = tickets.make(entrance.name, rights=without, use="url")
        assert ask(entrance, row, ticket=ticket, websocket=websocket) == (403, "notAllowed")
    # Whoever may gets past the gate, whatever becomes of it there.
    for token in (entrance.token_with(row.right), admin):
        status, code = ask(entrance, row, bearer=token, websocket=websocket)
        assert status not in (401, 429) and code != "notAllowed", (status, code)


@pytest.mark.parametrize("row", [row for row in OVER_TCP if row.label], ids=str)
def test_over_a_link(entrance: Entrance, row: Row) -> None:
    assert row.label
    if row.right != "any":
        implied = "control" if row.right == "ptz" else ""
        without = [right for right in tickets.ALL if right not in (row.right, implied)]
        assert entrance.peer(f"without {row.right}", without).request(row.label).status == 403
        # All rights, but for another channel.
        assert entrance.peer("channel 7", tickets.ALL, channel=7).request(row.label).status == 403
    request = entrance.peer("all", tickets.ALL).request(row.label)
    assert request.status != 401 and b"notAllowed" not in (request.body() if request.status >= 400 else b"")
    request.close()


def test_no_link_without_a_ticket_that_is_good(entrance: Entrance) -> None:
    for ticket in (None, tickets.make(entrance.name, seconds=-1), entrance.used_ticket, tickets.make("another"),
                   tickets.make(entrance.name, use="url")):
        with pytest.raises(Refused) as refused:
            Peer(entrance.agent.url, ticket=ticket)
        assert refused.value.status == 401, ticket
    # A token makes one, which may do what the token may.
    peer = Peer(entrance.agent.url, ticket=entrance.tokens["viewer"])
    try:
        assert peer.request("GET ipc.flv?action=live&channel=0").status == 200
        assert peer.request("COMMAND action=user_define&channel=0&cmd=ptz_left").status == 403
    finally:
        peer.close()


@pytest.mark.parametrize("row", [row for row in rows() if row.operation.startswith("control ")], ids=str)
def test_the_control_api_is_not_served_over_tcp(entrance: Entrance, row: Row) -> None:
    for token in (None, entrance.tokens["viewer"], entrance.tokens["admin"]):
        assert ask(entrance, row, bearer=token)[0] == 404
    assert ask(entrance, row, ticket=tickets.make(entrance.name, use="url"))[0] == 404
