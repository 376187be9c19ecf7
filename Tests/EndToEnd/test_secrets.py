"""Secrets are nowhere to be seen: not in the log, in what the agent reports, in its events, in metrics, in what it is run
with, nor in what a user of `edgectl` leaves behind."""

import json
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from subprocess import PIPE, Popen

import pytest
from harness import tickets
from harness.agent import PROGRAMS, Agent, free_port, synthetic_channel
from harness.peer import Peer, Refused
from harness.viewers import HTTPViewer, ViewerRefused, fetch
from harness.waiting import wait_until

CONFIGURED = {
    "tickets' key": tickets.KEY,
    "relay's password": "s3cret-relay-password",
    "broker's password": "s3cret-broker-password",
    "default target's password": "s3cret-target-password",
    "default target's key": "s3cret-stream-key",
    "default target's query": "s3cret-query",
    "hand-off's key": "s3cret-hand-off-key",
    "commanded target's password": "s3cret-commanded-password",
    "commanded target's key": "s3cret-commanded-key",
    "target from standard input": "s3cret-standard-input",
}


def test_nothing_shows_a_secret(agent: Callable[..., Agent], tmp_path: Path) -> None:
    away = free_port()
    secrets = dict(CONFIGURED)
    device: Agent = agent({
        "channels": [synthetic_channel()],
        "access": {"open": False},
        "log": {"level": "trace"},
        "server": {"tls": {"mode": "off"}},
        "peers": {"ticketKey": tickets.KEY, "relays": [f"turn:127.0.0.1:{away}"], "relayUser": "relay",
                  "relayPassword": secrets["relay's password"]},
        "rendezvous": {"broker": f"mqtt://127.0.0.1:{away}", "user": "device",
                       "password": secrets["broker's password"]},
        "push": {"defaultTarget": "rtmp://user:{}@127.0.0.1:{}/live/{}?token={}".format(
                     secrets["default target's password"], away, secrets["default target's key"],
                     secrets["default target's query"]),
                 "timeouts": {"connect": 1}},
        "handOff": {"target": f"rtmp://127.0.0.1:{away}/live/" + secrets["hand-off's key"],
                    "viewerURL": "https://media.example.org/live/{channel}.flv", "patienceSeconds": 1},
    })
    seen: dict[str, str] = {}
    events = device.events()

    # Tokens of all kinds, used and refused.
    for one in json.loads(device.edgectl("access", "show", "--json").stdout):
        secrets[f"token of {one['name']}"] = one["token"]
    secrets["added token"] = device.edgectl("access", "add", "wall", "--rights", "live").stdout.strip()
    identity = device.status()["device"]
    name = identity.get("id") or identity["name"]
    secrets["service's ticket"] = tickets.make(name)
    secrets["wrong ticket"] = tickets.make(name, key="x" * 32, use="url")
    secrets["wrong token"] = "s3cret-wrong-token"
    address = device.edgectl("access", "url").stdout.strip()
    secrets["address's ticket"] = address.partition("ticket=")[2]
    HTTPViewer(address).read_seconds(0.3)
    for token in (secrets["wrong token"], secrets["wrong ticket"]):
        with pytest.raises(ViewerRefused) as refused:
            HTTPViewer(device.live_url(), headers={"Authorization": f"Bearer {token}"})
        seen[f"refusal of {token[:12]}"] = str(refused.value)
        seen["refusal in an address"] = fetch(f"{device.live_url()}&ticket={token}")[2].decode()
    admin = {"Authorization": f"Bearer {secrets['token of admin']}"}
    peer = Peer(device.url, ticket=secrets["service's ticket"])
    peer.close()
    with pytest.raises(Refused) as link:
        Peer(device.url, ticket=secrets["service's ticket"])
    seen["refused link"] = str(link.value)

    # Pushes that fail, of all three origins.
    seen["push"] = device.edgectl("push", "open").stderr
    target = "rtmp://user:{}@127.0.0.1:{}/live/{}".format(
        secrets["commanded target's password"], away, secrets["commanded target's key"])
    seen["commanded push"] = str(device.request("POST", "/pushes", {
        "channel": 0, "codeStream": "main", "dataType": "av", "target": target, "async": True}))
    with Popen([str(PROGRAMS / "edgectl"), "push", "open", "-", "--async", "--socket", device.control_socket],
               stdin=PIPE, stdout=PIPE, stderr=PIPE, text=True) as edgectl:
        seen["edgectl's command line"] = Path(f"/proc/{edgectl.pid}/cmdline").read_text()
        seen["edgectl"] = str(edgectl.communicate(
            f"rtmp://127.0.0.1:{away}/live/{secrets['target from standard input']}\n", timeout=30))
    wait_until(lambda: len(events.all) >= 2, "events of pushes", 15)

    bundle = tmp_path / "bundle.tar.gz"
    answer = device.edgectl("bundle", "--no-pictures", "-o", str(bundle), "--config", str(device.configuration_path),
                            timeout=120)
    assert answer.returncode == 0, answer
    with tarfile.open(bundle) as archive:
        for item in archive:
            if item.isfile():
                seen[f"bundle: {item.name}"] = (archive.extractfile(item) or BytesIO()).read().decode(errors="replace")

    # A configuration with a mistake beside the secrets, read under way.
    broken = device.configuration_path.read_text().replace('"trace"', '"loud"')
    device.configuration_path.write_text(broken)
    device.signal(1)
    wait_until(lambda: "has mistakes" in device.log(), "a word on the mistake", 15)
    checked = Popen([str(PROGRAMS / "edge-agent"), "check", "--config", str(device.configuration_path)], stdout=PIPE,
                    stderr=PIPE, text=True).communicate(timeout=30)
    seen["check"] = str(checked)

    for path in ("status", "access", "pushes", "peers", "viewers", "platforms", "channels"):
        seen[path] = json.dumps(device.get(f"/{path}"))
    for arguments in (("status",), ("access",), ("push", "list"), ("p2p",), ("access", "show")):
        answer = device.edgectl(*arguments)
        seen[" ".join(arguments)] = answer.stdout + answer.stderr
    seen["metrics"] = fetch(f"{device.url}/metrics", headers=admin)[2].decode()
    assert "edge_agent_info" in seen["metrics"]
    for part in ("cmdline", "environ", "status"):
        seen[part] = Path(f"/proc/{device.pid}/{part}").read_text(errors="replace")
    seen["names of threads"] = " ".join(
        task.read_text() for task in Path(f"/proc/{device.pid}/task").glob("*/comm"))
    assert device.terminate()[0] == 0
    seen["events"] = json.dumps(events.all)
    seen["log"] = device.log()
    assert "the broker is away" in seen["log"] and "was refused" in seen["log"]

    for place, text in seen.items():
        for what, secret in secrets.items():
            assert secret not in text, f"the {what} is shown by {place}"
    # What lies in the state folder is for the agent alone, and of tokens only hashes.
    state = Path(device.folder) / "state"
    for file in state.iterdir():
        if file.is_file():
            assert file.stat().st_mode & 0o077 == 0, file
    kept = (state / "access").read_text()
    assert not any(secrets[one] in kept for one in ("token of admin", "token of viewer", "added token"))


def test_guesses_are_slowed_down(agent: Callable[..., Agent]) -> None:
    device: Agent = agent({"access": {"open": False}})
    token = json.loads(device.edgectl("access", "show", "--json").stdout)[0]["token"]

    def status(bearer: str | None) -> tuple[int, dict[str, str]]:
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return fetch(f"{device.url}/channels.json", headers=headers)[:2]

    assert status(token)[0] == 200
    answers = [status("wrong")[0] for _ in range(6)]
    assert answers == [401] * 5 + [429]
    refused, headers = status(token)
    assert refused == 429 and int(headers["retry-after"]) >= 1
    # Who shows nothing is told what it needs, and what is for everybody stays so.
    assert status(None)[0] == 401
    assert fetch(f"{device.url}/healthz")[0] == 200 and fetch(device.url)[0] == 200
    wait_until(lambda: status(token)[0] == 200, "the end of the pause", 15)
    # One line, however many guesses.
    assert device.log().count("a token was refused") == 1


def test_a_damaged_file_lets_nobody_in(agent: Callable[..., Agent]) -> None:
    device: Agent = agent({"access": {"open": False}})
    old = json.loads(device.edgectl("access", "show", "--json").stdout)[0]["token"]
    assert device.terminate()[0] == 0
    path = Path(device.folder) / "state" / "access"
    text = path.read_text()
    path.write_text(text.replace("live,", "live,admin,", 1))
    device = agent(device.configuration, folder=device.folder, port=device.port)
    assert "the tokens are damaged" in device.log()
    assert fetch(f"{device.url}/channels.json", headers={"Authorization": f"Bearer {old}"})[0] == 401
    new = json.loads(device.edgectl("access", "show", "--json").stdout)[0]["token"]
    assert fetch(f"{device.url}/channels.json", headers={"Authorization": f"Bearer {new}"})[0] == 200
