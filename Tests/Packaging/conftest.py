"""Fixtures of the package's tests; `Scripts/package --test` runs them."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from machine import Machine, MachineError

REPOSITORY = Path(__file__).resolve().parents[2]
MACHINE = pytest.StashKey[Machine]()


@pytest.fixture(scope="session")
def package() -> Path:
    """The package that is tried."""
    path = os.environ.get("EDGE_AGENT_PACKAGE")
    if path is None:
        pytest.fail("there is no package to try; run Scripts/package --arch amd64 --test", pytrace=False)
    return Path(path)


@pytest.fixture(scope="session")
def package_root(package: Path, tmp_path_factory) -> Path:
    """What is in the package, as files; DEBIAN/ holds what dpkg reads."""
    root = tmp_path_factory.mktemp("package") / "root"
    subprocess.run(["dpkg-deb", "--raw-extract", package, root], check=True, timeout=60)
    return root


@pytest.fixture(scope="session")
def package_programs(package_root: Path) -> Path:
    return package_root / "usr" / "bin"


@pytest.fixture(scope="session")
def older_package(package_root: Path, tmp_path_factory) -> Path:
    """The same package as version 0.0.1, with another configuration."""
    control = package_root / "DEBIAN" / "control"
    configuration = package_root / "etc" / "edge-agent" / "edge-agent.yaml"
    kept = {path: path.read_text() for path in (control, configuration)}
    lines = ["Version: 0.0.1" if line.startswith("Version:") else line for line in kept[control].splitlines()]
    path = tmp_path_factory.mktemp("older") / "older.deb"
    try:
        control.write_text("\n".join(lines) + "\n")
        configuration.write_text("# As the older version had it.\n" + kept[configuration])
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-Znone", "--build", package_root, path],
            check=True, timeout=60, stdout=subprocess.DEVNULL,
        )
    finally:
        for file, text in kept.items():
            file.write_text(text)
    return path


@pytest.fixture(scope="session")
def machine(package: Path, older_package: Path, tmp_path_factory, request):
    image = os.environ.get("EDGE_AGENT_PACKAGE_MACHINE")
    if image is None:
        pytest.skip("packages of other architectures are tried on the emulated board")
    folder = tmp_path_factory.mktemp("machine")
    packages = folder / "packages"
    packages.mkdir()
    shutil.copy(older_package, packages / "older.deb")
    shutil.copy(package, packages / "newer.deb")
    machine = Machine(Path(image), packages, folder)
    request.config.stash[MACHINE] = machine
    yield machine
    machine.stop()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what the machine and the service on it printed."""
    report = yield
    machine = item.config.stash.get(MACHINE, None)
    if report.failed and machine is not None:
        report.sections.append(("console of the machine", machine.console()[-4000:]))
        try:
            _, journal = machine.execute("journalctl --no-pager -n 60; systemctl status edge-agent --no-pager", 30)
        except (MachineError, OSError) as error:
            journal = str(error)
        report.sections.append(("journal of the machine", journal))
    return report
