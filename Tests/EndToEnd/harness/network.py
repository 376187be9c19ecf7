"""Networks of their own for a device and a viewer: each behind a router, the two joined by a small internet with a STUN
and TURN server (coturn). Made of network namespaces, so it takes root, and nothing outside is touched."""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from .waiting import wait_until

USER, PASSWORD, REALM = "viewer", "secret", "edge-agent"
SERVER = "203.0.113.10"
# The same server's other address, from which a client learns what its router does (RFC 5780).
OTHER_SERVER = "203.0.113.11"
PORT = 3478


def run(*command: str, namespace: str | None = None, text: str | None = None) -> str:
    prefix = ["ip", "netns", "exec", namespace] if namespace else []
    done = subprocess.run([*prefix, *command], input=text, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, f"{command}: {done.stderr}"
    return done.stdout


class Router:
    """Between a private network and the internet. Kinds:

    plain       keeps ports where it can; what comes from outside passes only where it was spoken to before
    symmetric   another port, at random, for each peer: nobody can be told where to reach who is behind it
    noUDP       as plain, but lets only TCP through
    """

    KINDS = ("plain", "symmetric", "noUDP")

    def __init__(self, name: str) -> None:
        self.name = name

    def become(self, kind: str) -> None:
        flags = "fully-random" if kind == "symmetric" else ""
        block = 'meta l4proto udp oifname "wan" drop' if kind == "noUDP" else ""
        run("nft", "-f", "-", namespace=self.name, text=f"""
            flush ruleset
            table ip nat {{
                chain out {{
                    type nat hook postrouting priority srcnat;
                    oifname "wan" masquerade {flags};
                }}
            }}
            table ip filter {{
                # A router that took up connections which it does not serve would have their ports in use.
                chain own {{
                    type filter hook input priority filter;
                    iifname "wan" ct state new drop;
                }}
                chain through {{
                    type filter hook forward priority filter;
                    policy drop;
                    {block}
                    ct state established,related accept
                    iifname "lan" accept
                }}
            }}""")


class Internet:
    """`device` and `viewer` are names of namespaces, each with one address behind a router of its own."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="edge-agent-network-"))
        tag = f"{os.getpid() % 10000}"
        self.public = f"net{tag}"
        self.device, self.viewer = f"dev{tag}", f"view{tag}"
        self.routers = {"device": Router(f"rdev{tag}"), "viewer": Router(f"rview{tag}")}
        self.server: subprocess.Popen[bytes] | None = None
        try:
            self._make()
        except BaseException:
            self.remove()
            raise

    @property
    def namespaces(self) -> list[str]:
        return [self.public, self.device, self.viewer, *(router.name for router in self.routers.values())]

    def _make(self) -> None:
        for name in self.namespaces:
            run("ip", "netns", "add", name)
            run("ip", "link", "set", "lo", "up", namespace=name)
        run("ip", "link", "add", "bridge", "type", "bridge", namespace=self.public)
        for address in (SERVER, OTHER_SERVER):
            run("ip", "addr", "add", f"{address}/24", "dev", "bridge", namespace=self.public)
        run("ip", "link", "set", "bridge", "up", namespace=self.public)
        # Private addresses lead nowhere, but without an error, at which the server would give up its client.
        run("ip", "route", "add", "default", "dev", "lo", namespace=self.public)
        for number, (side, host) in enumerate((("device", self.device), ("viewer", self.viewer)), start=1):
            router = self.routers[side].name
            run("ip", "link", "add", "wan", "netns", router, "type", "veth", "peer", "name", f"port{number}", "netns",
                self.public)
            run("ip", "link", "set", f"port{number}", "master", "bridge", "up", namespace=self.public)
            run("ip", "addr", "add", f"203.0.113.{number}/24", "dev", "wan", namespace=router)
            run("ip", "link", "set", "wan", "up", namespace=router)
            run("ip", "link", "add", "lan", "netns", router, "type", "veth", "peer", "name", "eth0", "netns", host)
            run("ip", "addr", "add", f"10.{number}.0.1/24", "dev", "lan", namespace=router)
            run("ip", "link", "set", "lan", "up", namespace=router)
            run("ip", "addr", "add", f"10.{number}.0.2/24", "dev", "eth0", namespace=host)
            # Interfaces of hardware put single packets on the wire; these would pass bursts on, to be lost as a whole.
            run("ip", "link", "set", "eth0", "gso_max_segs", "1", namespace=host)
            run("ip", "link", "set", "eth0", "up", namespace=host)
            run("ip", "route", "add", "default", "via", f"10.{number}.0.1", namespace=host)
            run("sysctl", "-qw", "net.ipv4.ip_forward=1", namespace=router)
            self.routers[side].become("plain")
        self._start_server()

    def _start_server(self) -> None:
        configuration = self.folder / "turn.conf"
        configuration.write_text(f"""
listening-ip={SERVER}
listening-ip={OTHER_SERVER}
relay-ip={SERVER}
listening-port={PORT}
min-port=40000
max-port=40999
fingerprint
lt-cred-mech
user={USER}:{PASSWORD}
realm={REALM}
no-tls
no-dtls
no-cli
userdb={self.folder}/turndb
pidfile={self.folder}/turn.pid
log-file={self.folder}/turn.log
simple-log
""")
        self.server = subprocess.Popen(
            ["ip", "netns", "exec", self.public, "turnserver", "-c", str(configuration)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: f":{PORT}" in run("ss", "-lntu", namespace=self.public), "the TURN server", 10)

    def lose(self, percent: int) -> None:
        """Of all packets that pass the routers, in each direction."""
        for router in self.routers.values():
            rule = f"numgen random mod 1000 < {10 * percent} drop" if percent else ""
            run("nft", "-f", "-", namespace=router.name, text=f"""
                table inet loss
                delete table inet loss
                table inet loss {{ chain through {{
                        type filter hook forward priority -200;
                        {rule}
                    }}
                }}""")

    def narrow(self, kilobytes: int | None) -> None:
        """What the device's router lets out in a second; the rest is lost. None for all."""
        rule = f'iifname "lan" limit rate over {kilobytes} kbytes/second burst 20 kbytes drop' if kilobytes else ""
        run("nft", "-f", "-", namespace=self.routers["device"].name, text=f"""
            table inet narrow
            delete table inet narrow
            table inet narrow {{
                chain through {{
                    type filter hook forward priority -150;
                    {rule}
                }}
            }}""")

    def remove(self) -> None:
        if self.server:
            self.server.terminate()
            self.server.wait()
        for name in self.namespaces:
            subprocess.run(["ip", "netns", "del", name], capture_output=True)
        shutil.rmtree(self.folder, ignore_errors=True)
