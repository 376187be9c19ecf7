"""vsftpd, as Debian has it: an FTP server of others, slow where a test wants to act in the middle of a transfer."""

import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from .agent import free_port
from .waiting import wait_until

PROGRAM = shutil.which("vsftpd", path=os.environ.get("PATH", "") + ":/usr/sbin")


class VSFTPD:
    """Anybody may write below `folder`, and not beside it; the server listens on loopback."""

    user = "anonymous"
    password = "somebody@example.org"

    def __init__(self, bytes_a_second: int = 0) -> None:
        assert PROGRAM, "vsftpd is missing; Scripts/test installs it"
        # Its sessions are another user's, who must get at it, and may not write to its root.
        self._home = Path(tempfile.mkdtemp(prefix="vsftpd-"))
        self._home.chmod(0o755)
        root = self._home / "root"
        self.folder = root / "upload"
        self.folder.mkdir(parents=True)
        root.chmod(0o555)
        self.folder.chmod(0o777)
        self._log = self._home / "log"
        self._configuration = self._home / "vsftpd.conf"
        self._settings = {
            "listen": "YES", "listen_address": "127.0.0.1", "background": "NO", "anonymous_enable": "YES",
            "local_enable": "NO", "no_anon_password": "YES", "anon_root": str(root), "write_enable": "YES",
            "anon_upload_enable": "YES", "anon_mkdir_write_enable": "YES", "anon_other_write_enable": "YES",
            "anon_umask": "022", "anon_world_readable_only": "NO", "anon_max_rate": str(bytes_a_second),
            # So that the rate is that of each moment.
            "trans_chunk_size": "4096", "ftp_username": "ftp", "seccomp_sandbox": "NO", "isolate": "NO",
            "isolate_network": "NO", "xferlog_enable": "YES", "log_ftp_protocol": "YES", "vsftpd_log_file": str(self._log), "secure_chroot_dir": str(self._home),
            **({} if os.geteuid() == 0 else {"run_as_launching_user": "YES"})}
        self.port = free_port()
        self._start()

    def _start(self) -> None:
        self._configuration.write_text("".join(f"{key}={value}\n" for key, value in
                                               {**self._settings, "listen_port": self.port}.items()))
        self._process = subprocess.Popen([PROGRAM, str(self._configuration)], stdin=subprocess.DEVNULL)
        wait_until(self._listens, "vsftpd listens")

    def _listens(self) -> bool:
        assert self._process.poll() is None, "vsftpd has ended"
        table = Path("/proc/net/tcp").read_text()
        return f"0100007F:{self.port:04X} 00000000:0000 0A" in table

    def _sessions(self) -> list[int]:
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return [int(one) for one in children]

    def cut(self) -> None:
        """Ends all sessions, in the middle of whatever they do."""
        for session in self._sessions():
            for process in [*map(int, Path(f"/proc/{session}/task/{session}/children").read_text().split()), session]:
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    pass

    def log(self) -> str:
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def _stop(self) -> None:
        self.cut()
        self._process.terminate()
        self._process.wait(10)

    def __enter__(self) -> "VSFTPD":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        self.folder.parent.chmod(0o755)
        shutil.rmtree(self._home, ignore_errors=True)
