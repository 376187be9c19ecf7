"""Tickets as a service of its own makes them: JSON Web Tokens, with nothing of the agent's."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from typing import Any

KEY = "0123456789abcdef0123456789abcdef"
ALL = ["live", "playback", "download", "talk", "ptz", "command", "control"]


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def make(device: str, key: str = KEY, seconds: float = 60, rights: list[str] = ALL, **claims: Any) -> str:
    header = _base64(json.dumps({"alg": "HS256", "typ": "JWT"}).encode())
    payload = _base64(json.dumps({
        "aud": device, "exp": int(time.time() + seconds), "jti": secrets.token_hex(8), "rights": rights, **claims,
    }).encode())
    signed = f"{header}.{payload}"
    return f"{signed}.{_base64(hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest())}"
