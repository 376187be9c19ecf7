"""`edge-agent check`, and what a bad configuration does to `edge-agent run`."""

import re
from pathlib import Path

import pytest
from harness.agent import REPOSITORY, edge_agent

MISTAKES = [
    # Text, line:column of the mistake, words the message must hold.
    ("server:\n  prot: 8080\n", "2:3", ["prot", "port"]),
    ("servr:\n  port: 8080\n", "1:1", ["servr", "server"]),
    ("server:\n  port: eighty\n", "2:9", ["port", "eighty"]),
    ("server:\n  port: 70000\n", "2:9", ["port", "65535"]),
    ("server:\n  port: 8080\n  port: 8081\n", "3:3", ["port"]),
    ("channels:\n  - id: 1\n  - id: 1\n", "3:9", ["id"]),
    ("channels:\n  - main:\n      preset: quick\n", "3:15", ["quick"]),
    ("channels:\n  - main:\n      size: 1280\n", "3:13", ["1280"]),
    ("channels:\n  - video:\n      source: v4l\n", "3:15", ["v4l", "v4l2"]),
    ("channels:\n  - audio:\n      rate: 12345\n", "3:13", ["12345"]),
    ("channels: 3\n", "1:11", ["channels"]),
    ("channels:\n  - name: [\n", None, []),
    ("\t- nonsense: {\n", None, []),
    ("- 1\n- 2\n", "1:1", []),
]


def check(path: Path, text: str | bytes):
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return edge_agent("check", "--config", str(path))


@pytest.mark.parametrize("text, place, words", MISTAKES)
def test_check_names_the_place(tmp_path: Path, text: str, place: str | None, words: list[str]) -> None:
    path = tmp_path / "agent.yaml"
    result = check(path, text)
    output = result.stdout + result.stderr
    assert result.returncode == 1, output
    assert re.search(rf"^{re.escape(str(path))}:{place or r'[0-9]+:[0-9]+'}: error: ", output, re.MULTILINE), output
    for word in words:
        assert word in output


def test_check_names_every_mistake(tmp_path: Path) -> None:
    result = check(tmp_path / "a.yaml", "server:\n  prot: 1\n  viewerLimit: no\nlog:\n  level: loud\nfoo: 1\n")
    errors = [line for line in (result.stdout + result.stderr).splitlines() if ": error: " in line]
    assert result.returncode == 1
    assert [error.split(": error: ")[0].split(":")[-2] for error in errors] == ["2", "3", "5", "6"], errors


@pytest.mark.parametrize("text", ["", "# nothing\n", "channels:\n  - id: 3\n    video: {source: synthetic}\n"])
def test_check_accepts(tmp_path: Path, text: str) -> None:
    result = check(tmp_path / "agent.yaml", text)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "ok" in result.stdout


def test_check_accepts_the_manual() -> None:
    result = edge_agent("check", "--config", str(REPOSITORY / "Documentation" / "edge-agent.yaml"))
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("data", [b"\xff\xfe\x00", b"a: &a [*a]\n", b"x: " + b"[" * 20000, b"? " * 5000,
                                  b"a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: [*b,*b,*b,*b]\n"])
def test_check_survives_hostile_files(tmp_path: Path, data: bytes) -> None:
    result = check(tmp_path / "agent.yaml", data)
    assert result.returncode == 1, result.stdout + result.stderr
    assert ": error: " in result.stdout + result.stderr


def test_missing_file(tmp_path: Path) -> None:
    result = edge_agent("check", "--config", str(tmp_path / "absent.yaml"))
    assert result.returncode == 1
    assert "absent.yaml" in result.stdout + result.stderr


def test_run_ends_with_78(tmp_path: Path) -> None:
    """systemd does not start again what ends with EX_CONFIG."""
    path = tmp_path / "agent.yaml"
    path.write_text("server:\n  prot: 8080\nlog:\n  level: loud\n")
    result = edge_agent("run", "--config", str(path))
    assert result.returncode == 78
    assert f"{path}:2:3: error: " in result.stderr
    assert f"{path}:4:10: error: " in result.stderr


def test_version_and_devices() -> None:
    version = edge_agent("--version")
    assert version.returncode == 0 and re.search(r"\d+\.\d+\.\d+", version.stdout)
    devices = edge_agent("devices")
    assert devices.returncode == 0, devices.stderr
    assert devices.stdout.strip()
