"""HTTPS and WSS: the device's own certificate, one from files, and what becomes of it when the files change."""

import hashlib
import json
import os
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

from harness.agent import Agent, edge_agent, synthetic_channel, to_yaml
from harness.flv import Reader
from harness.recordings import RECORDED
from harness.waiting import wait_until
from playwright.sync_api import Browser

PLAYING = "() => edgeAgentPage.tiles.length > 0 && edgeAgentPage.tiles.every((tile) => tile.state === 'playing')"


def make_certificate(folder: Path, name: str) -> tuple[Path, Path]:
    certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True, capture_output=True)
    return certificate, key


def connect(device: Agent, authorities: Path | None = None, **limits: ssl.TLSVersion) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=str(authorities) if authorities else None)
    if authorities is None:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    for name, version in limits.items():
        setattr(context, name, version)
    return context.wrap_socket(socket.create_connection(("127.0.0.1", device.port), 15), server_hostname="127.0.0.1")


def fingerprint(connection: ssl.SSLSocket) -> str:
    digest = hashlib.sha256(connection.getpeercert(True) or b"").hexdigest().upper()
    return ":".join(digest[at:at + 2] for at in range(0, 64, 2))


def shown_fingerprint(device: Agent) -> str:
    return json.loads(device.edgectl("access", "--json").stdout)["entrance"]["fingerprint"]


def findings(device: Agent) -> set[str]:
    return {finding["code"] for finding in json.loads(device.edgectl("doctor", "network", "--json").stdout)}


def ask(connection: ssl.SSLSocket | socket.socket, text: str) -> bytes:
    connection.sendall(text.encode())
    answer = b""
    while piece := connection.recv(65536):
        answer += piece
    return answer


def test_a_certificate_of_the_devices_own(agent: Callable[..., Agent]) -> None:
    device: Agent = agent({"server": {"tls": {"mode": "selfSigned"}}})
    with connect(device) as connection:
        assert connection.version() in ("TLSv1.2", "TLSv1.3")
        first = fingerprint(connection)
        assert first == shown_fingerprint(device)
        assert first in device.edgectl("access").stdout and first in device.edgectl("status").stdout
        answer = ask(connection, "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ") and b"<title>EdgeAgent" in answer
    # It stays the same.
    path = Path(device.folder) / "state" / "server-certificate.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert device.terminate()[0] == 0
    device = agent(device.configuration, folder=device.folder, port=device.port)
    with connect(device) as connection:
        assert fingerprint(connection) == first
    # Older versions of TLS are not spoken.
    try:
        connect(device, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    except OSError:
        pass
    else:
        raise AssertionError("TLS 1.1 is spoken")


def test_the_page_over_https(agent: Callable[..., Agent], browser: Browser) -> None:
    device: Agent = agent({"server": {"tls": {"mode": "selfSigned"}}, "access": {"open": False}})
    token = json.loads(device.edgectl("access", "show", "--json").stdout)[0]["token"]
    context = browser.new_context(ignore_https_errors=True)
    try:
        page = context.new_page()
        # Who types the address without a scheme is sent to the right one.
        page.goto(f"{device.url}/")
        assert page.url.startswith("https://")
        page.fill("#token", token)
        page.keyboard.press("Enter")
        page.wait_for_function(PLAYING, timeout=20_000)
    finally:
        context.close()


def test_plain_http_is_refused(agent: Callable[..., Agent]) -> None:
    device: Agent = agent({"server": {"tls": {"mode": "selfSigned"}}})
    for request, expected in [
        ("GET / HTTP/1.1\r\nHost: camera:8080", b"HTTP/1.1 308 "), ("GET /channels.json HTTP/1.1\r\nHost: a", b"HTTP/1.1 400 "),
        ("POST /command HTTP/1.1\r\nHost: a\r\nContent-Length: 0", b"HTTP/1.1 400 "),
        ("GET / HTTP/1.1\r\nHost: a b<", b"HTTP/1.1 400 "), ("nonsense", b"HTTP/1.1 400 "),
    ]:
        with socket.create_connection(("127.0.0.1", device.port), 15) as connection:
            answer = ask(connection, f"{request}\r\nConnection: close\r\n\r\n")
            assert answer.startswith(expected), (request, answer)
            assert b"channels" not in answer
    with socket.create_connection(("127.0.0.1", device.port), 15) as connection:
        connection.sendall(b"\x16\x03\x01" + os.urandom(500))
        connection.settimeout(15)
        while connection.recv(65536):
            pass
    assert device.process.poll() is None


def test_streams_and_files_are_whole(agent: Callable[..., Agent]) -> None:
    device: Agent = agent({**RECORDED, "server": {"tls": {"mode": "selfSigned"}}})

    def closed() -> str | None:
        status, files = device.request("GET", "/files")
        return files[0]["name"] if status == 200 and len(files) > 2 else None

    name = wait_until(closed, "closed files", 60, 0.2)
    with connect(device) as connection:
        connection.sendall(b"GET /ipc.flv?action=live&channel=0 HTTP/1.1\r\nHost: a\r\n\r\n")
        data = b""
        while b"\r\n\r\n" not in data:
            data += connection.recv(65536)
        head, data = data.split(b"\r\n\r\n", 1)
        assert b" 200 " in head.split(b"\r\n")[0]
        reader, tags = Reader(), []
        while sum(tag.is_picture for tag in tags) < 50:
            tags += reader.feed(data, 0)
            data = connection.recv(65536)
    with connect(device) as connection:
        answer = ask(connection, f"GET /ipc.flv?action=download&channel=0&file_name={name} HTTP/1.1\r\nHost: a\r\n\r\n")
    head, body = answer.split(b"\r\n\r\n", 1)
    assert b" 200 " in head.split(b"\r\n")[0]
    _, expected = device.request("GET", f"/files/0/{name}")
    assert body == expected


def test_a_certificate_from_files_is_read_again(agent: Callable[..., Agent], tmp_path: Path) -> None:
    first, second = make_certificate(tmp_path, "first"), make_certificate(tmp_path, "second")
    certificate, key = tmp_path / "server.pem", tmp_path / "server.key"

    def put(source: tuple[Path, Path]) -> None:
        for content, target in zip(source, (certificate, key)):
            (tmp_path / "new").write_bytes(content.read_bytes())
            (tmp_path / "new").rename(target)

    put(first)
    device: Agent = agent({"server": {"tls": {"mode": "files", "certificate": str(certificate), "key": str(key)}}})
    connect(device, authorities=first[0]).close()
    old = shown_fingerprint(device)
    # One that is broken changes nothing, and is told of.
    certificate.write_text("nonsense")
    wait_until(lambda: "not usable" in device.log(), "a word on the broken certificate", 20)
    connect(device, authorities=first[0]).close()
    assert shown_fingerprint(device) == old
    assert "not in use" in device.edgectl("access").stdout
    # It is good for two days.
    assert {"certificateNotInUse", "certificateExpires"} <= findings(device)
    put(second)
    wait_until(lambda: shown_fingerprint(device) != old, "the new certificate", 20)
    connect(device, authorities=second[0]).close()
    assert "certificateNotInUse" not in findings(device)
    assert "PRIVATE" not in device.log() and device.log().count("not usable") <= 2


def test_files_that_are_missing(tmp_path: Path) -> None:
    configuration = tmp_path / "edge-agent.yaml"
    configuration.write_text(to_yaml({
        "channels": [synthetic_channel()], "control": {"socket": str(tmp_path / "s")}, "state": {"folder": str(tmp_path)},
        "server": {"port": 0, "tls": {"mode": "files", "certificate": "/nowhere.pem", "key": "/nowhere.key"}}}))
    ended = edge_agent("run", "--config", str(configuration))
    assert ended.returncode == 1 and "/nowhere.pem is not there" in ended.stderr + ended.stdout
