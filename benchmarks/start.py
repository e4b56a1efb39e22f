"""From the command to an answer of `/readyz`: `serve` on a folder it has used before, and its imports.

Wall time wants a quiet machine (`load_average_before`); processor time holds on any. Imports are measured by
themselves, each in a Python of its own; the supervisor's come first, those of web and matcher run side by
side, the jobs' begin once the web process answers.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.figures import add_json, tell
from benchmarks.scale_seen import tree_cpu_s
from dispatcher.runtime.arguments import whole
from dispatcher.runtime.errors import UserError
from dispatcher.serve.processes import own_command, own_environment

AIM_S, LIMIT_S, POLL_S = 3.0, 120.0, 0.005
MODULES = {
    "supervisor": "dispatcher.serve.supervisor",
    "web": "dispatcher.app.web",
    "matcher": "dispatcher.app.matcher",
    "jobs": "dispatcher.app.jobs",
}
ITSELF = "import time; before = time.process_time(); import {}; print(time.process_time() - before)"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """How often."""
    parser.add_argument(
        "--times", type=whole(1, 1_000), default=5, metavar="N", help="starts (default: %(default)s)"
    )
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Measure, print; 1 if the quickest start is slower than the aim."""
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="start-") as folder:
        started(Path(folder))  # makes keys, and the bytecode of all that is imported
        found = [started(Path(folder)) for _ in range(args.times)]
    figures = told_of(found, {name: imports_s(module, args.times) for name, module in MODULES.items()})
    figures |= {"load_average_before": round(load, 2)}
    tell(figures, args.json, _shown)
    return 1 if figures["ready_least_s"] > AIM_S else 0


def _shown(figures: Mapping[str, Any]) -> str:
    return "\n".join(f"{name:<24} {value}" for name, value in figures.items())


def told_of(found: Sequence[dict[str, float]], imports: dict[str, float]) -> dict[str, Any]:
    """The quickest and the middle one of each."""
    told: dict[str, Any] = {"starts": len(found), "aim_s": AIM_S}
    for name in found[0]:
        values = [each[name] for each in found]
        told |= {f"{name}_least_s": round(min(values), 3), f"{name}_median_s": round(median(values), 3)}
    return told | {f"imports_{name}_cpu_s": round(value, 3) for name, value in imports.items()}


def started(folder: Path) -> dict[str, float]:
    """One start: seconds until it listens, until it is ready, and the processor time of all until then."""
    address = folder / "address"
    address.unlink(missing_ok=True)
    told = {"DISPATCHER_DATA_DIR": str(folder), "DISPATCHER_PORT": "0", "DISPATCHER_LOG_LEVEL": "error"}
    began_s = time.monotonic()
    process = subprocess.Popen(
        own_command("serve"),
        env=own_environment() | told,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not (url := address.read_text().strip() if address.exists() else "") or not _ready(url):
            if process.poll() is not None or time.monotonic() - began_s > LIMIT_S:
                raise UserError("the service was not ready.", "Maybe run `serve` by hand: it says why.")
            time.sleep(POLL_S)
        return {"ready": time.monotonic() - began_s, "ready_cpu": sum(tree_cpu_s(process.pid))}
    finally:
        process.terminate()
        process.wait(timeout=LIMIT_S)


def _ready(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"{url}/readyz", timeout=2):
            return True
    except (OSError, urllib.error.HTTPError):
        return False


def imports_s(module: str, times: int) -> float:
    """The least processor time that importing it took, in a Python of its own."""
    command = [sys.executable, "-P", "-c", ITSELF.format(module)]
    found = [
        subprocess.run(command, env=own_environment(), capture_output=True, text=True, check=True).stdout
        for _ in range(times)
    ]
    return min(map(float, found))
