"""A machine's life with the package: installed, used, upgraded, removed, purged. The tests go on from each other."""

import json
import re

import pytest

from exposure import exposure
from machine import Machine, wait_until

APT = "apt-get -q -y --no-install-recommends -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confdef"
CONFIGURATION = "/etc/edge-agent/edge-agent.yaml"
DEVICE_ID = "/etc/edge-agent/device-id"


@pytest.fixture(scope="module")
def installed(machine: Machine) -> Machine:
    machine.run(f"{APT} install /packages/older.deb", timeout=240)
    wait_until("the service is active", lambda: is_active(machine))
    return machine


def is_active(machine: Machine) -> bool:
    return machine.run("systemctl is-active edge-agent || true") == "active"


def property_of_service(machine: Machine, name: str) -> str:
    return machine.run(f"systemctl show edge-agent --property={name} --value")


def status_if_running(machine: Machine) -> dict | None:
    """What edgectl says, as soon as camera and microphone run."""
    status, text = machine.execute("edgectl status --json")
    if status != 0:
        return None
    channel = json.loads(text)["channels"][0]
    is_running = all(channel[device]["state"] == "running" for device in ("camera", "microphone"))
    return json.loads(text) if is_running else None


def test_the_installed_service_runs_and_is_enabled(installed: Machine):
    assert installed.run("systemctl is-enabled edge-agent") == "enabled"
    assert installed.run("systemctl --failed --no-legend --plain") == ""
    assert set(installed.run("id -nG edge-agent").split()) == {"edge-agent", "audio", "dialout", "video", "gpio"}
    assert installed.run(f"stat -c '%U %G %a' {CONFIGURATION}") == "root edge-agent 640"
    assert installed.run("stat -c '%U %G %a' /var/lib/edge-agent") == "edge-agent edge-agent 700"


def test_the_device_has_an_identity(installed: Machine):
    identity = installed.run(f"cat {DEVICE_ID}")
    assert re.fullmatch("[0-9a-f]{32}", identity)
    assert identity != installed.run("cat /etc/machine-id")
    device = json.loads(installed.run("edgectl status --json"))["device"]
    assert device == {"id": identity, "name": installed.run("hostname")}
    installed.run("systemctl start edge-agent-identity")
    assert installed.run(f"cat {DEVICE_ID}") == identity


def test_it_uses_camera_and_microphone(installed: Machine):
    report = wait_until("camera and microphone run", lambda: status_if_running(installed))
    assert report["channels"][0]["camera"]["device"].startswith("/dev/v")
    assert report["channels"][0]["microphone"]["device"] == "plughw:CARD=Loopback,DEV=0"
    installed.run("edgectl snapshot --output /run/picture.jpg")
    assert installed.run("head -c 3 /run/picture.jpg | base64") == "/9j/"


def test_members_of_its_group_may_use_edgectl(installed: Machine):
    installed.run("useradd --groups edge-agent engineer && useradd stranger")
    installed.run("runuser -u engineer -- edgectl status")
    status, _ = installed.execute("runuser -u stranger -- edgectl status")
    assert status == 69


def test_it_is_confined(installed: Machine):
    report = installed.run("systemd-analyze security --no-pager edge-agent.service")
    assert exposure(report) <= 2.0, report
    process = property_of_service(installed, "MainPID")
    told = installed.run(f"cat /proc/{process}/status")
    fields = dict(line.split(":\t", 1) for line in told.splitlines())
    assert all(int(fields[name], 16) == 0 for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"))
    assert (fields["NoNewPrivs"], fields["Seccomp"]) == ("1", "2")


# What a shell may do under the service's rules.
RULES = {
    "exec 3<>/dev/video0": True,
    "exec 3<>/dev/snd/controlC0": True,
    "exec 3<>/dev/null": True,
    "cat /etc/edge-agent/edge-agent.yaml": True,
    "cat /proc/self/maps": True,
    "nice -n 1 true": True,
    "exec 3</dev/ttyS0": False,
    "exec 3</dev/input/event0": False,
    "cat /root/.bashrc": False,
    "ls -d /proc/1": False,
    "cat /proc/cpuinfo": False,
    "cat /proc/kmsg": False,
    "touch /etc/edge-agent/x": False,
    "touch /var/lib/x": False,
    "touch /run/x": False,
    "touch /dev/shm/x": False,
    "cp /usr/bin/true /tmp/x": True,
    "/tmp/x": False,
    "cp /usr/bin/true /var/lib/edge-agent/x": True,
    "/var/lib/edge-agent/x": False,
    "unshare --user true": False,
    "chown edge-agent:video /tmp": False,
}
PROBE = """\
mkdir -p /run/systemd/system/probe.service.d
cp /usr/lib/systemd/system/edge-agent.service /run/systemd/system/probe.service
cat >/run/systemd/system/probe.service.d/probe.conf <<'END'
[Service]
Type=oneshot
ExecStart=
ExecStart=/usr/bin/bash /run/probe
ExecPaths=/usr/bin
SyslogIdentifier=probe
Restart=no
WatchdogSec=0
# Its end would remove the agent's.
RuntimeDirectory=
END
cat >/run/probe <<'END'
while read -r rule; do
    if (eval "$rule") </dev/null >/dev/null 2>&1; then echo "yes $rule"; else echo "no $rule"; fi
done <<'RULES'
@RULES@
RULES
END
systemctl daemon-reload
systemctl start probe
journalctl --sync
journalctl --unit probe --identifier probe --output cat
rm -r /run/systemd/system/probe.service*
"""


def test_its_rules(installed: Machine):
    lines = installed.run(PROBE.replace("@RULES@", "\n".join(RULES))).splitlines()
    found = {rule: answer == "yes" for answer, _, rule in (line.partition(" ") for line in lines)}
    assert found == RULES


def test_an_upgrade_keeps_what_the_owner_made(installed: Machine):
    identity = installed.run(f"cat {DEVICE_ID}")
    installed.run(
        f"sed -i 's/name: Camera/name: Yard/' {CONFIGURATION} && chmod 600 {CONFIGURATION} && "
        f"chown edge-agent: {CONFIGURATION} && systemctl reload edge-agent"
    )
    kept = installed.run(f"sha256sum {CONFIGURATION}")
    before = property_of_service(installed, "MainPID")
    installed.run(f"{APT} install /packages/newer.deb", timeout=240)
    assert installed.run(f"sha256sum {CONFIGURATION}") == kept
    assert installed.run(f"stat -c '%U %G %a' {CONFIGURATION}") == "edge-agent edge-agent 600"
    assert installed.run(f"cat {DEVICE_ID}") == identity
    assert is_active(installed)
    assert property_of_service(installed, "MainPID") != before
    report = wait_until("camera and microphone run again", lambda: status_if_running(installed))
    assert report["channels"][0]["name"] == "Yard"


def test_configuring_does_not_enable_what_was_disabled(installed: Machine):
    installed.run("systemctl disable edge-agent")
    installed.run("/var/lib/dpkg/info/edge-agent.postinst configure 0.0.1")
    assert installed.run("systemctl is-enabled edge-agent || true") == "disabled"


def test_removal_stops_the_service_and_keeps_what_the_owner_made(installed: Machine):
    installed.run(f"{APT} remove edge-agent", timeout=240)
    assert not is_active(installed)
    assert installed.execute("pgrep -u edge-agent || ls /run/edge-agent /usr/bin/edge-agent /usr/bin/edgectl")[0] != 0
    installed.run(f"test -e {CONFIGURATION} && test -e {DEVICE_ID} && test -d /var/lib/edge-agent")


def test_a_purge_leaves_nothing_but_the_user(installed: Machine):
    installed.run(f"{APT} purge edge-agent", timeout=240)
    assert installed.run("find / -xdev -name '*edge-agent*' -o -xdev -name '*edgectl*'") == ""
    installed.run("id edge-agent")
    assert installed.run("systemctl --failed --no-legend --plain") == ""
