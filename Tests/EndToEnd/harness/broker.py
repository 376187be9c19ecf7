"""A broker (mosquitto) of a test's own, and a client of it (paho) that shares nothing with the agent's."""

import json
import queue
import secrets
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from .agent import free_port
from .waiting import wait_until

USER, PASSWORD = "device", "secret"


class Broker:
    """With `tls`: TLS only, with an authority of its own, and a certificate wanted of whoever comes; else a password."""

    def __init__(self, tls: bool = False) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="edge-agent-broker-"))
        self.folder.chmod(0o755)
        self.port = free_port()
        self.tls = tls
        self.process: subprocess.Popen[bytes] | None = None
        if tls:
            self._make_certificates()
            access = f"""cafile {self.folder}/ca.pem
certfile {self.folder}/broker.pem
keyfile {self.folder}/broker.key
require_certificate true
use_identity_as_username true
allow_anonymous true"""
        else:
            passwords = self.folder / "passwords"
            subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), USER, PASSWORD], check=True,
                           capture_output=True)
            passwords.chmod(0o644)
            access = f"allow_anonymous false\npassword_file {passwords}"
        (self.folder / "broker.conf").write_text(f"listener {self.port} 127.0.0.1\nuser root\n{access}\n")
        self.start()

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, cwd=self.folder)

    def _make_certificates(self) -> None:
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
                      "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
        for name in ("broker", "client"):
            (self.folder / f"{name}.ext").write_text("subjectAltName=IP:127.0.0.1\n")
            self._openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}",
                          "-keyout", f"{name}.key", "-out", f"{name}.csr")
            self._openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial",
                          "-days", "1", "-extfile", f"{name}.ext", "-out", f"{name}.pem")

    @property
    def settings(self) -> dict[str, Any]:
        """For the agent's configuration."""
        if self.tls:
            return {"broker": f"mqtts://127.0.0.1:{self.port}", "authorities": f"{self.folder}/ca.pem",
                    "certificate": f"{self.folder}/client.pem", "key": f"{self.folder}/client.key"}
        return {"broker": f"mqtt://127.0.0.1:{self.port}", "user": USER, "password": PASSWORD}

    def start(self) -> None:
        log = open(self.folder / "log", "ab")
        self.process = subprocess.Popen(["mosquitto", "-v", "-c", str(self.folder / "broker.conf")], stdout=log, stderr=log)
        wait_until(lambda: f"mosquitto version" in self.log() and "running" in self.log(), "the broker", 10)

    def stop(self) -> None:
        if self.process:
            self.process.terminate()
            self.process.wait(10)
            self.process = None
            (self.folder / "log").unlink()

    def log(self) -> str:
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Client:
    """Whoever talks to a device over a broker: a viewer, or a fleet's service."""

    def __init__(self, broker: Broker, device: str, prefix: str = "edge-agent") -> None:
        self.base = f"{prefix}/{device}"
        self.messages: dict[str, list[Any]] = {}
        self.answers: dict[str, queue.Queue[Any]] = {}
        self.ready = threading.Event()
        self.client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        if broker.tls:
            self.client.tls_set(f"{broker.folder}/ca.pem", f"{broker.folder}/client.pem", f"{broker.folder}/client.key")
        else:
            self.client.username_pw_set(USER, PASSWORD)
        self.client.on_connect = self._connected
        self.client.on_subscribe = lambda *_: self.ready.set()
        self.client.on_message = self._take
        self.client.reconnect_delay_set(1, 1)
        self.client.connect("127.0.0.1", broker.port)
        self.client.loop_start()
        assert self.ready.wait(10), broker.log()

    def _connected(self, client: mqtt.Client, *_: Any) -> None:
        client.subscribe([(f"{self.base}/{name}", 1) for name in ("presence", "info", "events", "answers/+", "replies/+")])

    def _take(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        topic = message.topic.removeprefix(f"{self.base}/")
        # What is retained no more comes as nothing.
        content = json.loads(message.payload) if message.payload else None
        self.messages.setdefault(topic, []).append(content)
        if topic in self.answers:
            self.answers[topic].put(content)

    @property
    def is_online(self) -> bool | None:
        """As the presence says last; None where it says nothing."""
        said = self.messages.get("presence")
        return said[-1]["online"] if said else None

    def ask(self, topic: str, kind: str, content: dict[str, Any], seconds: float = 20) -> Any:
        """What is answered at an id of the question's own."""
        name = secrets.token_hex(6)
        waiting = self.answers[f"{kind}/{name}"] = queue.Queue()
        self.client.publish(f"{self.base}/{topic}", json.dumps({"id": name, **content}), qos=1)
        return waiting.get(timeout=seconds)

    def exchange(self, ticket: str | None = None) -> Callable[[str], str]:
        """Takes an offer to the device."""
        def exchange(offer: str) -> str:
            answer = self.ask("offers", "answers", {"sdp": offer} | ({"ticket": ticket} if ticket else {}))
            assert "sdp" in answer, answer
            return answer["sdp"]
        return exchange

    def command(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        content = {"method": method, "path": path} | ({} if body is None else {"body": body})
        reply = self.ask("commands", "replies", content)
        return reply["status"], reply.get("body")

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
