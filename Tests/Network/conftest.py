import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "EndToEnd"))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="every pair of routers at every loss")


@pytest.fixture(scope="session", autouse=True)
def networks() -> None:
    """Networks of their own, which not every machine lets a program make."""
    attempt = subprocess.run(
        ["unshare", "--net", "sh", "-c", "ip link add one type veth peer name two && nft add table inet trial"],
        capture_output=True, text=True)
    if attempt.returncode != 0:
        pytest.skip(f"no networks can be made here: {attempt.stderr.strip()}")
