"""Media services: nginx with its RTMP module on ports of a test's own, and ffmpeg listening for an HTTP POST."""

import http.server
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import xml.etree.ElementTree as ET
from pathlib import Path

from .agent import free_port
from .rtmp import Player
from .viewers import fetch
from .waiting import wait_until

MODULES = Path("/usr/lib/nginx/modules")
# Not in the path of everybody.
NGINX = shutil.which("nginx") or "/usr/sbin/nginx"


class PublishHook:
    """Answers nginx's `on_publish` with a status the test sets, and keeps what it was asked."""

    def __init__(self, status: int = 403) -> None:
        self.status = status
        self.requests: list[str] = []
        hook = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                hook.requests.append(body.decode())
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/publish"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class MediaService:
    def __init__(self, on_publish: str | None = None, port: int | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="media-service-"))
        self.port = port or free_port()
        self.http_port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        hook = f"on_publish {on_publish};" if on_publish else ""
        (self.folder / "hls").mkdir()
        (self.folder / "nginx.conf").write_text(f"""
load_module {MODULES}/ngx_rtmp_module.so;
daemon off; master_process off; worker_processes 1;
pid {self.folder}/pid; error_log {self.folder}/error.log info;
events {{ worker_connections 1024; }}
rtmp {{
    access_log off;
    server {{
        listen 127.0.0.1:{self.port};
        chunk_size 4096;
        application live {{ live on; wait_key on; {hook}
            hls on; hls_path {self.folder}/hls; hls_fragment 1s; hls_playlist_length 8s; }}
    }}
}}
http {{
    access_log off;
    client_body_temp_path {self.folder}/body; proxy_temp_path {self.folder}/proxy;
    fastcgi_temp_path {self.folder}/fastcgi; uwsgi_temp_path {self.folder}/uwsgi; scgi_temp_path {self.folder}/scgi;
    server {{ listen 127.0.0.1:{self.http_port}; location /statistics {{ rtmp_stat all; }}
        location /hls/ {{ alias {self.folder}/hls/; }} }}
}}
""")
        self.start()

    def start(self) -> None:
        assert self.process is None
        self.process = subprocess.Popen(
            [NGINX, "-p", str(self.folder), "-c", str(self.folder / "nginx.conf"), "-e",
             str(self.folder / "error.log")],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=open(self.folder / "stderr", "ab"))
        wait_until(self._accepts, f"nginx accepts: {self.log()}")

    def _accepts(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise AssertionError(f"nginx ended: {(self.folder / 'stderr').read_text()}{self.log()}")
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        except OSError:
            return False

    def kill(self) -> None:
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def freeze(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGCONT)

    def remove(self) -> None:
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def log(self) -> str:
        path = self.folder / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def url(self, name: str = "camera", application: str = "live") -> str:
        return f"rtmp://127.0.0.1:{self.port}/{application}/{name}"

    def publishers(self) -> list[str]:
        """Names of the streams that have a publisher now."""
        _, _, body = fetch(f"http://127.0.0.1:{self.http_port}/statistics")
        return [stream.findtext("name") or "" for stream in ET.fromstring(body).iter("stream")
                if stream.find("publishing") is not None]

    def play(self, name: str = "camera") -> Player:
        return Player("127.0.0.1", self.port, "live", name)


class PostReceiver:
    """`ffmpeg -listen 1`: takes one HTTP POST of FLV and keeps it as a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/live/camera.flv"
        self.process = subprocess.Popen(
            ["ffmpeg", "-v", "error", "-xerror", "-nostdin", "-y", "-listen", "1", "-f", "flv", "-i", self.url, "-map",
             "0", "-c", "copy", "-f", "flv", str(path)],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        wait_until(self._listens, "ffmpeg listens")

    def _listens(self) -> bool:
        wanted = f"0100007F:{self.port:04X}"
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[1] == wanted and fields[3] == "0A":
                return True
        return False

    def finish(self, seconds: float = 20) -> str:
        """What ffmpeg had to say, once the sender has ended the body."""
        _, message = self.process.communicate(timeout=seconds)
        return message.decode()

    def remove(self) -> None:
        if self.process.poll() is None:
            os.kill(self.process.pid, signal.SIGKILL)
            self.process.wait()
