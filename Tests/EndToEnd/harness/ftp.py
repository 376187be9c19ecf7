"""A small FTP server (RFC 959 and RFC 3659, passive mode): one thread a client, files in a folder. It can cut transfers."""

import socket
import threading
from pathlib import Path


class FTPServer:
    def __init__(self, root: Path, user: str = "user", password: str = "secret") -> None:
        self.root = root
        self.user = user
        self.password = password
        self.cut_after: int | None = None
        """The next transfer is broken off after so many bytes."""
        self.slow = False
        """Takes little at a time, so that a test can act meanwhile."""
        self.commands: list[str] = []
        self.finished = 0
        """Transfers that were whole."""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(peer,), daemon=True).start()

    def _serve(self, peer: socket.socket) -> None:
        try:
            self._talk(peer)
        except OSError:
            pass
        peer.close()

    def _talk(self, peer: socket.socket) -> None:
        def say(text: str) -> None:
            peer.sendall(text.encode() + b"\r\n")

        lines = peer.makefile("rb")
        folder = "/"
        data: socket.socket | None = None
        is_known = False
        user = ""
        say("220 ready")
        while line := lines.readline():
            text = line.decode().rstrip("\r\n")
            verb, _, argument = text.partition(" ")
            verb = verb.upper()
            self.commands.append(verb if verb == "PASS" else text)
            path = self._path(folder, argument)
            if verb == "USER":
                user = argument
                say("331 password")
            elif verb == "PASS":
                is_known = (user, argument) == (self.user, self.password)
                say("230 in" if is_known else "530 no")
            elif verb == "QUIT":
                say("221 bye")
                return
            elif not is_known:
                say("530 log in")
            elif verb == "PWD":
                say(f'257 "{folder}"')
            elif verb == "CWD":
                if path.is_dir():
                    folder = "/" + str(path.relative_to(self.root)).removeprefix(".")
                    say("250 there")
                else:
                    say("550 no such folder")
            elif verb == "MKD":
                path.mkdir()
                say(f'257 "{argument}"')
            elif verb == "TYPE":
                say("200 type")
            elif verb == "SIZE":
                say(f"213 {path.stat().st_size}" if path.is_file() else "550 no such file")
            elif verb in ("EPSV", "PASV"):
                data = socket.create_server(("127.0.0.1", 0))
                port = data.getsockname()[1]
                say(f"229 passive (|||{port}|)" if verb == "EPSV" else
                    f"227 passive (127,0,0,1,{port >> 8},{port & 255})")
            elif verb in ("STOR", "APPE") and data:
                say("150 go on")
                whole = self._receive(data, path, "ab" if verb == "APPE" else "wb")
                data = None
                if not whole:
                    peer.shutdown(socket.SHUT_RDWR)
                    return
                say("226 stored")
                self.finished += 1
            else:
                say("502 no")

    def _path(self, folder: str, argument: str) -> Path:
        path = (self.root / (folder if not argument.startswith("/") else "").lstrip("/") / argument.lstrip("/")).resolve()
        assert path.is_relative_to(self.root.resolve()), path
        return path

    def _receive(self, listener: socket.socket, path: Path, mode: str) -> bool:
        peer, _ = listener.accept()
        listener.close()
        if self.slow:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        count = 0
        with open(path, mode) as file:
            while piece := peer.recv(2048 if self.slow or self.cut_after is not None else 65536):
                if self.slow:
                    threading.Event().wait(0.02)
                file.write(piece)
                file.flush()
                count += len(piece)
                if self.cut_after is not None and count >= self.cut_after:
                    self.cut_after = None
                    peer.close()
                    return False
        peer.close()
        return True

    def close(self) -> None:
        self._listener.close()
