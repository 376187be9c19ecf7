"""A request to the control API that lasts, and can be broken off in the middle."""

import json
import socket
from typing import Any


class HeldRequest:
    def __init__(self, control_socket: str, path: str, body: dict[str, Any]) -> None:
        text = json.dumps(body).encode()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(control_socket)
        self._socket.sendall(
            f"POST /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(text)}\r\n\r\n".encode() + text)

    def leave(self) -> None:
        self._socket.close()
