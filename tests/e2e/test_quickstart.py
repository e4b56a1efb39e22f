"""docs/quickstart.md and docs/care.md are true: their commands are run as they stand, by a new user."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dispatcher.serve.processes import own_environment

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```bash\n(.*?)^```$", re.MULTILINE | re.DOTALL)
pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not here, and the pages use it")


def test_the_commands_of_the_quickstart_work_as_written(tmp_path):
    said = played("quickstart.md", tmp_path)
    assert '"pickup_address":"1 Imaginary Street"' in said
    assert '"state":"completed"' in said
    assert "metro: 1 requests (1 completed)" in said
    assert said.rstrip().endswith("sound")


def test_a_discharge_goes_by_hand_as_written(tmp_path):
    said = played("care.md", tmp_path)
    assert '"left":0' in said
    assert "the key is with the neighbour" in said
    assert "metro: 3 requests (3 completed)" in said
    assert said.rstrip().endswith("sound")


def played(page, folder):
    """What the commands of a page print, by a new user in an empty folder."""
    start, *steps = BLOCK.findall((DOCS / page).read_text(encoding="utf-8"))
    assert start.strip() == "./run serve"
    assert len(steps) >= 6
    environment = _checkout(folder)
    with (folder / "serve.log").open("wb") as log:
        service = subprocess.Popen(["./run", "serve"], cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        _until_ready(folder / ".dispatcher" / "address", service)
        script = "set -euo pipefail\n" + "\n".join(steps)
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        said = (folder / "serve.log").read_text()
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(30)
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
    return inherited | {"DISPATCHER_PORT": "0", "HOME": os.environ.get("HOME", str(folder))}


def _until_ready(address, service):
    for _ in range(600):
        if address.exists():
            return
        assert service.poll() is None, "the service ended"
        time.sleep(0.1)
    raise AssertionError("the service was not ready within 60 s")
