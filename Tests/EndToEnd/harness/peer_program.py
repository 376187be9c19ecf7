"""A peer as a program of its own, for a network namespace: prints its offer as a line of JSON, reads the answer as
another, plays live for some seconds and prints what it saw.

usage: peer_program.py SECONDS STUN TURN USER PASSWORD LABEL   ("" for what there is not)"""

import asyncio
import json
import sys
import time
from typing import Any

from aiortc import RTCConfiguration, RTCIceServer, RTCPeerConnection, RTCSessionDescription


def watch_sizes(connection: RTCPeerConnection) -> list[int]:
    """Of the datagrams that come from now on, what relays put around them left out."""
    sizes: list[int] = []

    def watch(protocol: Any) -> None:
        receive = protocol.datagram_received

        def received(data: bytes, address: Any) -> None:
            sizes.append(len(data))
            receive(data, address)
        protocol.datagram_received = received

    for protocol in connection.sctp.transport.transport._connection._protocols:
        watch(protocol)
    return sizes


async def main(seconds: float, stun: str, turn: str, user: str, password: str, label: str) -> None:
    servers = [RTCIceServer(stun)] if stun else []
    if turn:
        servers.append(RTCIceServer(turn, username=user, credential=password))
    connection = RTCPeerConnection(RTCConfiguration(iceServers=servers))
    channel = connection.createDataChannel(label)
    first: dict[str, float] = {}
    arrivals: list[tuple[float, int]] = []
    closed = asyncio.Event()

    @channel.on("message")
    def message(data: str | bytes) -> None:
        now = time.monotonic()
        if isinstance(data, str):
            first.setdefault("head", now)
        else:
            first.setdefault("body", now)
            arrivals.append((now, len(data)))

    channel.on("close", closed.set)
    await connection.setLocalDescription(await connection.createOffer())
    started = time.monotonic()
    print(json.dumps({"offer": connection.localDescription.sdp}), flush=True)
    line = await asyncio.to_thread(sys.stdin.readline)
    await connection.setRemoteDescription(RTCSessionDescription(json.loads(line)["answer"], "answer"))
    end = time.monotonic() + 30
    while "body" not in first and time.monotonic() < end and not closed.is_set():
        await asyncio.sleep(0.01)
    sizes = watch_sizes(connection)
    if "body" in first:
        try:
            await asyncio.wait_for(closed.wait(), seconds)
        except asyncio.TimeoutError:
            pass
    pair = connection.sctp.transport.transport._connection._nominated.get(1)
    print(json.dumps({
        "state": connection.connectionState,
        "pair": [pair.local_candidate.type, pair.remote_candidate.type, pair.remote_addr[0]] if pair else None,
        "firstPicture": first["body"] - started if "body" in first else None,
        "largestDatagram": max(sizes, default=0),
        "bytes": sum(count for _, count in arrivals),
    }), flush=True)
    # The device is asked about the link before it ends.
    await asyncio.to_thread(sys.stdin.readline)
    await connection.close()


asyncio.run(main(float(sys.argv[1]), *sys.argv[2:]))
