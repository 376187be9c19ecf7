"""Nothing that a remote can send ends the agent or disturbs who behaves."""

import json
import random
import socket

import pytest
from harness.waiting import wait_until

GARBAGE = [
    b"\0" * 5000,
    b"GET",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET /ipc.flv?" + b"a=b&" * 20000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(5000)) + b"\r\n",
    b"POST /ipc.flv HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZZZ\r\n",
    b"GET /ipc.flv?action=live&channel=%zz&quality=%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /ipc.flv?action=live&channel=-1 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /ipc.flv?action=live&channel=99999999999999999999999 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /../../../../etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /ipc.flv HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: 1\r\n\r\n",
]


def exchange(port: int, data: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), 15) as connection:
        try:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
                if len(answer) > 1 << 20:
                    break
            return answer
        except OSError:  # Closed by the agent in the middle of it.
            return b""


def test_garbage(agent) -> None:
    one = agent()
    with one.viewer() as viewer:
        viewer.read_until(lambda tag: tag.is_key_picture)
        for data in GARBAGE:
            answer = exchange(one.port, data)
            assert answer == b"" or answer.startswith(b"HTTP/1.1 ") and b"root:" not in answer, (data[:60], answer[:200])
            assert not answer.startswith(b"HTTP/1.1 5") or b" 505 " in answer, (data[:60], answer[:200])
        generator = random.Random(1)
        for _ in range(200):
            exchange(one.port, generator.randbytes(generator.randrange(1, 400)))
        assert viewer.read_seconds(1)
    assert one.process.poll() is None


def test_silent_connections_take_nobodys_place(agent) -> None:
    one = agent({"server": {"viewerLimit": 4}})
    silent = [socket.create_connection(("127.0.0.1", one.port)) for _ in range(30)]
    with one.viewer() as viewer:
        viewer.read_until(lambda tag: tag.is_key_picture)
    for connection in silent:
        connection.close()


def test_websocket_garbage(agent) -> None:
    one = agent()
    generator = random.Random(2)
    with one.viewer() as steady:
        steady.read_until(lambda tag: tag.is_key_picture)
        for i in range(20):
            viewer = one.websocket()
            viewer.read_until(lambda tag: tag.is_key_picture)
            try:
                viewer.connection.socket.sendall(generator.randbytes(500) if i else b"\x82\xff" + b"\xff" * 500)
            except ConnectionError:
                pass
            viewer.close()
        wait_until(lambda: len(one.viewers()) == 1, "they are gone")
        steady.read_seconds(1)


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b"null", b'{"channel":"zero"}', b'{"channel":0,"codeStream":"third","dataType":"av"}',
    b'{"channel":0,"codeStream":"main","dataType":"smell","target":"rtmp://h/a/b"}',
    b'{"channel":0,"codeStream":"main","dataType":"av","target":"ftp://h/a/b"}',
    b'{"channel":0,"codeStream":"main","dataType":"av","target":"rtmp://"}',
    b'{"channel":0,"codeStream":"main","dataType":"av"}',
    b"[" * 60000, b"x" * (2 << 20),
], ids=lambda body: body[:50].decode())
def test_control_answers_what_is_wrong(agent, body: bytes) -> None:
    one = agent()
    try:
        status, answer = one.request("POST", "/pushes", body)
    except (BrokenPipeError, ConnectionResetError):
        # One that is too long may be cut off while it is still being sent.
        assert len(body) > 64 << 10
    else:
        assert status in (400, 413), answer
        assert answer["error"]["message"], answer
    assert one.pushes() == []
    assert one.request("GET", "/pushes/77")[0] == 404
    assert one.request("DELETE", "/pushes/77")[0] == 404
    assert one.request("GET", "/nothing")[0] == 404
    assert one.request("DELETE", "/status")[0] == 405
    status, answer = one.request("POST", "/pushes", {"channel": 5, "codeStream": "main", "dataType": "av",
                                                     "target": "rtmp://127.0.0.1:9/live/a"})
    assert status == 404 and json.dumps(answer)
