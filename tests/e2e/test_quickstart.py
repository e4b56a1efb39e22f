"""The pages of docs that are played by a new user are true: their commands are run as they stand."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from dispatcher.serve.processes import own_environment

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
MARKETS = ("metro", "care", "vans")
SETTINGS = {
    "DISPATCHER_PORT": "0",
    "DISPATCHER_MARKETS": ",".join(f"{each}=America/New_York" for each in MARKETS),
    "DISPATCHER_WEBHOOK_NETWORKS": "127.0.0.0/8",
}
pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not here, and the pages use it")


class Served(NamedTuple):
    """A service as a new user has it, and the folder and environment of their second terminal."""

    folder: Path
    environment: dict[str, str]


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    """One service for all pages: each has a market of its own."""
    folder = tmp_path_factory.mktemp("new-user")
    environment = _checkout(folder)
    with (folder / "serve.log").open("wb") as log:
        service = subprocess.Popen(["./run", "serve"], cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            _until_ready(folder / ".dispatcher" / "address", service)
            yield Served(folder, environment)
        finally:
            service.send_signal(signal.SIGTERM)
            service.wait(30)


def test_the_commands_of_the_quickstart_work_as_written(served):
    said = played("quickstart.md", served, "metro")
    assert '"pickup_address":"1 Imaginary Street"' in said
    assert '"state":"completed"' in said
    assert "metro: 1 requests (1 completed)" in said
    assert said.rstrip().endswith("sound")


def test_a_discharge_goes_by_hand_as_written(served):
    said = played("care.md", served, "care")
    assert '"left":0' in said
    assert "the key is with the neighbour" in said
    assert "care: 3 requests (3 completed)" in said
    assert said.rstrip().endswith("sound")


def test_each_kind_of_vendor_comes_from_sign_up_to_its_first_paid_ride_as_written(served):
    said = played("vendors.md", served, "vans")
    assert '"pickup_address":"1 Imaginary Street"' in said
    assert '"price_cents":' in said
    assert "ride-2.1 is yours" in said
    assert "N. Example (self)" in said
    assert "together $" in said
    assert "<title>" in said
    assert "<customerName>Nobody Example</customerName>" in said
    assert "<dataReceived>true</dataReceived>" in said
    assert "vans: 6 requests (6 completed)" in said
    assert said.rstrip().endswith("sound")


def played(page, served, market):
    """What the commands of a page print, by a new user; they are run as they stand, but for the market."""
    start, *steps = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    *settings, name, word = start.split()
    assert (name, word) == ("./run", "serve")
    assert all(served.environment[each.partition("=")[0]] == each.partition("=")[2] for each in settings)
    assert len(steps) >= 6
    script = "set -euo pipefail\n" + re.sub(r"\bmetro\b", market, "\n".join(steps))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=served.folder,
        env=served.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    said = (served.folder / "serve.log").read_text()
    assert done.returncode == 0, f"{done.stdout[-1500:]}\n{done.stderr[-1500:]}\n{said[-1500:]}"
    return done.stdout


def _checkout(folder):
    """A folder in which `./run` and `.venv/bin/python` are this very environment, on a free port."""
    run = folder / "run"
    run.write_text(f'#!/bin/sh\nexec {sys.executable} -P -m dispatcher "$@"\n')
    run.chmod(0o755)
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    inherited = {name: text for name, text in own_environment().items() if not name.startswith("DISPATCHER_")}
    return inherited | SETTINGS | {"HOME": os.environ.get("HOME", str(folder))}


def _until_ready(address, service):
    for _ in range(600):
        if address.exists():
            return
        assert service.poll() is None, "the service ended"
        time.sleep(0.1)
    raise AssertionError("the service was not ready within 60 s")
