"""Viewers that connect peer to peer: an independent peer in Python, and Debian's Chromium with the viewer library."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import flv, media
from harness.agent import Agent, synthetic_channel
from harness.peer import Peer, Refused
from harness.recordings import Recordings
from harness.viewers import fetch
from harness.waiting import wait_until
from playwright.sync_api import Browser, Page, sync_playwright

CHANNEL = synthetic_channel(
    sub={"size": "320x180", "frameRate": 25, "preset": "ultrafast", "bitrate": 300000, "keyFrameInterval": 2})


@pytest.fixture
def connect() -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def start(agent: Agent, **arguments: Any) -> Peer:
        peers.append(Peer(agent.url, **arguments))
        return peers[-1]

    yield start
    for peer in peers:
        peer.close()


def test_live_over_a_data_channel(
        agent: Callable[..., Agent], connect: Callable[..., Peer], tmp_path: Path) -> None:
    device = agent({"channels": [CHANNEL]})
    peer = connect(device)
    request = peer.request("GET ipc.flv?action=live&channel=0&quality=high")
    assert request.status == 200 and request.headers["Content-Type"] == "video/x-flv"
    tags = request.read_seconds(4)
    print(f"connected and answered {1000 * (request.head_at - peer.started):.0f} ms after the beginning")
    pictures = [tag for tag in tags if tag.is_picture]
    assert pictures[0].is_key_picture and len(pictures) > 60
    assert any(tag.is_sound for tag in tags)
    flv.write_file(tmp_path / "live.flv", tags)
    assert media.decode_messages(tmp_path / "live.flv") == ""


def test_datagrams_fit_the_interface(agent: Callable[..., Agent], connect: Callable[..., Peer]) -> None:
    """`Tests/Network` looks at those that cross the internet."""
    peer = connect(agent({"channels": [CHANNEL]}))
    sizes = peer.watch_datagrams()
    peer.request("GET ipc.flv?action=live&channel=0").read_seconds(3)
    # Pictures fill them; the machine itself takes any, but Ethernet's 1500 bytes are the limit, 28 of which are headers.
    assert 1420 < max(sizes) <= 1472, sorted(sizes)[-5:]


def test_refusals_leave_the_link_alive(agent: Callable[..., Agent], connect: Callable[..., Peer]) -> None:
    peer = connect(agent({"channels": [CHANNEL]}))
    for label in ("GET ipc.flv?action=live&channel=9", "GET ipc.flv?action=live&quality=bogus", "GET ipc.flv",
                  "GET metrics", "GET /api/v1/status", "PUT ipc.flv?action=live", "", "GET", "COMMAND"):
        request = peer.request(label)
        if label.startswith("COMMAND"):
            assert request.json()["status"] == "404", label
        else:
            assert request.status == 404, label
            assert request.closed.wait(5), label
    assert peer.command("action=inner_define&cmd=get_device_st&type=live")[0]["status"] == "0"
    assert peer.command("action=inner_define&cmd=no_such")["status"] == "406"


def test_commands_run_in_parallel_with_a_stream(agent: Callable[..., Agent], connect: Callable[..., Peer]) -> None:
    peer = connect(agent({"channels": [CHANNEL]}))
    live = peer.request("GET ipc.flv?action=live&channel=0")
    live.read_seconds(1)
    requests = [peer.request("COMMAND action=inner_define&cmd=get_device_st&type=live") for _ in range(20)]
    for request in requests:
        (state,) = request.json()
        assert state["status"] == "0" and state["appConnectNum"] == "1"
    # A second stream of the same kind takes the first one's place.
    other = peer.request("GET ipc.flv?action=live&channel=0&quality=standard")
    assert other.status == 200 and live.closed.wait(5)
    other.read_seconds(1)


def test_a_download_with_a_resume(recorded: Agent, connect: Callable[..., Peer]) -> None:
    file = Recordings(recorded).wait_for_files(3)[0]
    wanted = Recordings(recorded).path(file).read_bytes()
    peer = connect(recorded)
    label = f"GET ipc.flv?action=download&channel=0&file_name={file.name}"
    assert peer.request(label).body() == wanted
    assert peer.request(f"{label}&offset={len(wanted) // 3}").body() == wanted[len(wanted) // 3:]
    assert peer.request(f"{label}&offset={len(wanted)}").body() == b""
    assert peer.request(f"{label}&offset={len(wanted) + 1}").status == 404


def test_messages_are_as_long_as_the_peer_takes_them(recorded: Agent, connect: Callable[..., Peer]) -> None:
    file = Recordings(recorded).wait_for_files(3)[0]
    wanted = Recordings(recorded).path(file).read_bytes()
    peer = connect(recorded, alter=lambda text: re.sub(r"a=max-message-size:\d+", "a=max-message-size:4096", text))
    download = peer.request(f"GET ipc.flv?action=download&channel=0&file_name={file.name}")
    assert download.body() == wanted and download.longest == 4096
    live = peer.request("GET ipc.flv?action=live&channel=0&quality=high")
    assert len([tag for tag in live.read_seconds(2) if tag.is_picture]) > 30
    assert live.longest == 4096, "key pictures are longer, and are cut"


def test_a_playback_to_its_end(recorded: Agent, connect: Callable[..., Peer]) -> None:
    file = Recordings(recorded).wait_for_files(3)[0]
    peer = connect(recorded)
    request = peer.request(f"GET ipc.flv?action=playback&channel=0&start_time={file.start}&end_time={file.end}")
    assert request.status == 200
    request.read_seconds(1)
    query = "action=inner_define&channel=0&cmd="
    assert peer.command(f"{query}playback_pause")["status"] == "0"
    assert peer.command(f"{query}playback_seek&progress=8000")["status"] == "0"
    assert peer.command(f"{query}playback_resume")["status"] == "0"
    assert request.closed.wait(20), "the range's end ends the channel"


def test_a_peer_that_vanishes_is_counted_out(agent: Callable[..., Agent], connect: Callable[..., Peer]) -> None:
    device = agent({"channels": [CHANNEL], "server": {"viewerLimit": 1}})
    peer = connect(device)
    peer.request("GET ipc.flv?action=live&channel=0").read_seconds(1)
    other = connect(device)
    assert other.request("GET ipc.flv?action=live&channel=0").status == 503
    (state,) = other.command("action=inner_define&cmd=get_device_st&type=live")
    assert state["status"] == "405" and state["appConnectNum"] == "2"
    peer.vanish()
    wait_until(lambda: other.request("GET ipc.flv?action=live&channel=0").status == 200, "a free place", 25, 0.5)
    assert len(device.viewers()) == 1 and len(device.get("/peers")) == 1


def test_nobody_takes_a_peers_place(agent: Callable[..., Agent], connect: Callable[..., Peer]) -> None:
    device = agent({"channels": [CHANNEL]})
    peer = connect(device)
    live = peer.request("GET ipc.flv?action=live&channel=0")
    live.read_seconds(0.5)
    (report,) = device.viewers()
    assert report["transport"] == "peer" and report["visitor"] > 0xFFFF_FFFF
    names = [str(report["visitor"]), str(0x8000_0000 | report["visitor"] & 0x7FFF_FFFF), str(report["visitor"] & 0xFFFF_FFFF)]
    for name in names:
        with device.viewer(headers={"X-Visitor": name}) as other:
            assert other.tag()
            live.read_seconds(0.5)
            assert len(device.viewers()) == 2
    # Nor can a peer call itself what somebody else is called.
    with device.viewer(headers={"X-Visitor": "7"}) as other:
        assert other.tag()
        peer.request("GET ipc.flv?action=live-audio&channel=0&_visitor=7").read_seconds(0.5)
        assert sorted(viewer["visitor"] for viewer in device.viewers()) == [7, *[report["visitor"]] * 2]
        assert other.tag()
    # By its number it is told what others are not.
    answer = device.edgectl("feedback", "--visitor", str(report["visitor"]), '{"iv_private_cmd":"call_answer"}')
    assert answer.returncode == 0, answer.stderr
    wait_until(lambda: any("call_answer" in text for text in peer.feedback.texts), "the message", 5)


def libraries(device: Agent) -> set[str]:
    """Those that peers need, as far as the process has them in memory."""
    maps = Path(f"/proc/{device.pid}/maps").read_text()
    return {name for name in ("libnice", "libglib", "libgnutls", "libssl", "libusrsctp", "libmosquitto") if name in maps}


def threads(device: Agent) -> set[str]:
    return {path.read_text().strip() for path in Path(f"/proc/{device.pid}/task").glob("*/comm")}


def test_libraries_are_opened_for_the_first_peer(
        agent: Callable[..., Agent], connect: Callable[..., Peer]) -> None:
    device = agent({"channels": [CHANNEL]})
    assert not libraries(device) and "peers" not in threads(device)
    connect(device).request("GET ipc.flv?action=live&channel=0").read_seconds(0.5)
    assert libraries(device) == {"libnice", "libglib", "libgnutls", "libssl", "libusrsctp"}
    assert "peers" in threads(device)


def test_a_library_that_is_missing_is_named(
        agent: Callable[..., Agent], connect: Callable[..., Peer], tmp_path: Path) -> None:
    (tmp_path / "libnice.so.10").write_text("none")
    device = agent({"channels": [CHANNEL]}, environment={"LD_LIBRARY_PATH": str(tmp_path)})
    for _ in range(3):
        with pytest.raises(Refused) as refused:
            connect(device)
        assert refused.value.status == 503 and b"libnice" in refused.value.body
    assert device.log().count("no viewer can connect peer to peer") == 1
    with device.viewer() as viewer:
        assert viewer.tag()


def test_offers_that_are_none(agent: Callable[..., Agent], connect: Callable[..., Peer]) -> None:
    device = agent({"channels": [CHANNEL], "peers": {"limit": 2}})
    sdp = {"Content-Type": "application/sdp"}

    def offer(body: bytes, method: str = "POST", path: str = "/p2p", headers: dict[str, str] = sdp) -> int:
        return fetch(device.url + path, method=method, body=body, headers=headers)[0]

    assert offer(b"") == 400 and offer(b"v=0\r\n") == 400 and offer(b"\xff" * 1000) == 400
    assert offer(b"v=0\r\n", headers={"Content-Type": "text/plain"}) == 415
    assert offer(b"", method="GET") == 405
    assert offer(b"", method="DELETE", path="/p2p/0123456789abcdef") == 404
    fragment = {"Content-Type": "application/trickle-ice-sdpfrag"}
    peer = connect(device)
    path = peer.resource.removeprefix(device.url)
    assert offer(b"a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n", "PATCH", path, fragment) == 204
    assert offer(b"a=candidate:1 1 udp 1 127.0.0.1 9 typ host\r\n", "PATCH", "/p2p/x", fragment) == 404
    # A wrong fingerprint: the handshake ends, and nothing was said before.
    connect(device, alter=lambda text: re.sub(r"(a=fingerprint:sha-\d+ )..:..", r"\1DE:AD", text))
    wait_until(lambda: "is not the one that was announced" in device.log(), "the refusal", 10)
    assert device.log().count("not the one that was announced") == 1
    # What never comes to anything counts as well, for a while.
    text = peer.connection.localDescription.sdp.encode()
    assert offer(text) == 201 and offer(text) == 503
    assert offer(b"", "DELETE", path) == 200
    assert offer(text) == 201


@pytest.fixture(scope="module")
def peer_browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--allow-loopback-in-peer-connection",
                  "--disable-features=WebRtcHideLocalIpsWithMdns"])
        yield browser
        browser.close()


LIBRARY = """async (file) => {
    const { viewer, ErrorCode } = await import("/edge-agent-viewer.js");
    const notices = [];
    const result = { notices };
    const notStarted = await viewer.sendCommand("device", "x").catch((error) => error.errcode);
    await viewer.init();
    const started = performance.now();
    await viewer.startP2PService("device", {}, { msgCallback: (event, subtype) => notices.push(subtype) });
    result.again = await viewer.startP2PService("device").catch((error) => error.errcode);
    let bytes = 0;
    let begin = "";
    await new Promise((resolve) => viewer.startStream("device", {
        flv: { filename: "ipc.flv", params: "action=live&channel=0&quality=high" },
        msgCallback: (event, subtype) => notices.push(subtype),
        dataCallback: (data) => {
            if (bytes === 0) {
                result.firstPicture = performance.now() - started;
                begin = new TextDecoder().decode(data.slice(0, 3));
            }
            bytes += data.byteLength;
            if (bytes > 100000) resolve();
        },
    }));
    result.begin = begin;
    result.command = await viewer.sendCommand("device", "action=inner_define&channel=0&cmd=get_device_st&type=live");
    result.refused = await viewer.startStream("device", { flv: { params: "action=live&channel=7" } })
        .catch((error) => [error.errcode, error.status]);
    viewer.stopStream("device");
    const download = (parameters) => new Promise((resolve) => {
        const pieces = [];
        viewer.startLocalDownload("device", parameters, {
            onChunkReceived: (data) => pieces.push(new Uint8Array(data)),
            onSuccess: () => notices.push("downloaded"),
            onFailure: () => notices.push("notDownloaded"),
            onComplete: () => resolve(pieces.flatMap((piece) => [...piece])),
        });
    });
    const hash = async (bytes) => [...new Uint8Array(await crypto.subtle.digest("SHA-256", new Uint8Array(bytes)))]
        .map((byte) => byte.toString(16).padStart(2, "0")).join("");
    const whole = await download({ channel: 0, file_name: file.name });
    const rest = await download({ channel: 0, file_name: file.name, offset: 1000 });
    result.downloaded = await hash(whole);
    result.resumed = await hash([...whole.slice(0, 1000), ...rest]);
    await download({ channel: 0, file_name: "no/such.mp4" });
    viewer.stopP2PService("device");
    result.notStarted = notStarted === ErrorCode.notInitialised;
    result.state = viewer.getServiceState("device");
    viewer.destroy();
    return result;
}"""


def test_the_viewer_library_in_a_browser(recorded: Agent, peer_browser: Browser) -> None:
    import hashlib

    file = Recordings(recorded).wait_for_files(3)[0]
    wanted = hashlib.sha256(Recordings(recorded).path(file).read_bytes()).hexdigest()
    page = peer_browser.new_page()
    page.goto(f"{recorded.url}/")
    result = page.evaluate(LIBRARY, {"name": file.name})
    page.close()
    print(f"first picture {result['firstPicture']:.0f} ms after startP2PService")
    assert result["begin"] == "FLV"
    assert result["command"]["type"] == "success" and json.loads(result["command"]["data"])[0]["status"] == "0"
    assert result["refused"] == [-2402, 404] and result["again"] == -2401 and result["notStarted"]
    assert result["downloaded"] == wanted and result["resumed"] == wanted
    assert result["state"] == "ServiceIdle"
    for notice in ("ServiceConnected", "request", "parsed", "downloaded", "notDownloaded"):
        assert notice in result["notices"], result["notices"]


# Two at a time, beside a stream.
MANY = """async () => {
    const { viewer } = await import("/edge-agent-viewer.js");
    await viewer.init();
    await viewer.startP2PService("device");
    await viewer.startStream("device", { flv: { params: "action=live&channel=0" }, dataCallback() {} });
    const ask = () => viewer.sendCommand("device", "action=inner_define&channel=0&cmd=get_device_st&type=live");
    const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
    const replies = [];
    for (let turn = 0; turn < 150; turn += 1) {
        replies.push(...await Promise.all([ask(), pause(turn % 20).then(ask)]));
        await pause(turn % 30);
    }
    viewer.destroy();
    return replies.map((reply) => reply.type);
}"""


def test_every_command_is_answered_in_a_browser(agent: Callable[..., Agent], peer_browser: Browser) -> None:
    """Channels that are closed as soon as they are open lose their messages in Chromium, so the device waits a little."""
    device = agent({"channels": [CHANNEL]})
    page = peer_browser.new_page()
    page.goto(f"{device.url}/?tiles=")
    replies = page.evaluate(MANY)
    page.close()
    assert len(replies) == 300 and set(replies) == {"success"}, {kind: replies.count(kind) for kind in set(replies)}


LASTING = """async () => {
    const { viewer } = await import("/edge-agent-viewer.js");
    const seen = globalThis.seen = { bytes: 0, states: [] };
    await viewer.init();
    await viewer.startP2PService("device", {}, { onStateChange: (state) => seen.states.push(state) });
    await viewer.startStream("device", {
        flv: { params: "action=live&channel=0" }, dataCallback: (data) => { seen.bytes += data.byteLength; },
    });
}"""


def test_the_library_comes_back(agent: Callable[..., Agent], peer_browser: Browser) -> None:
    device = agent({"channels": [CHANNEL]})
    page = peer_browser.new_page()
    page.goto(f"{device.url}/")
    page.evaluate(LASTING)
    device.process.kill()
    device.process.wait()
    agent({"channels": [CHANNEL]}, port=device.port)
    wait_until(lambda: page.evaluate("() => seen.states.filter((s) => s === 'ServiceConnected').length") == 2,
               "another link", 40)
    before = page.evaluate("() => seen.bytes")
    wait_until(lambda: page.evaluate("() => seen.bytes") > before + 50_000, "the stream to go on", 10)
    page.close()


def test_the_page_plays_over_a_link(agent: Callable[..., Agent], peer_browser: Browser) -> None:
    device = agent({"channels": [CHANNEL]})
    page = peer_browser.new_page()
    page.goto(f"{device.url}/?p2p")
    page.wait_for_function(
        "() => globalThis.edgeAgentPage?.tiles.length === 1 && edgeAgentPage.tiles[0].state === 'playing'", timeout=30_000)
    viewers = device.viewers()
    before = page.evaluate("() => edgeAgentPage.tiles[0].video.currentTime")
    wait_until(lambda: page.evaluate("() => edgeAgentPage.tiles[0].video.currentTime") > before + 1, "moving pictures")
    page.close()
    assert [viewer["transport"] for viewer in viewers] == ["peer"]
    wait_until(lambda: not device.viewers(), "the viewer's end", 20)
