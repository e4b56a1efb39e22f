"""An earlier version of the service, as its wheel would hold it: to be run beside this one."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import time
from bisect import bisect_left
from collections.abc import Mapping
from pathlib import Path

from dispatcher.runtime.own_packages import HOME
from dispatcher.serve.processes import own_command
from dispatcher.store import formats

PACKAGES = ("contracts", "client", "solvers", "simulation", "dispatcher")
NUMBERS = """
import json, pathlib, sys
from dispatcher.store import formats
assert pathlib.Path(formats.__file__).is_relative_to(sys.argv[1])  # and no other
print(json.dumps(formats.known()))
"""
RELEASES = "v*"
START_S = 60.0


def earlier(folder: Path) -> tuple[str, Path]:
    """What it is called, and where its packages lie: the last release if it stores what we store; else the
    oldest commit of main that does; this very tree where there is no history."""
    named = _git("describe", "--tags", "--abbrev=0", f"--match={RELEASES}", "HEAD^").decode().strip()
    if named and _is_alike(named, folder / "release"):
        return named, _compiled(folder / "release")
    commits = _git("rev-list", "--first-parent", "HEAD").decode().split()
    if not commits:
        return "this version", HOME
    # newest first: alike up to some place, and not beyond it
    beyond = bisect_left(commits, True, key=lambda each: not _is_alike(each, folder / each[:12]))
    for each in reversed(commits[:beyond]):  # not every commit is one that starts
        home = _compiled(unpacked(each, folder / each[:12]))
        if _serves(home, folder / f"{each[:12]}-tried"):
            return each[:12], home
    return "this version", HOME


def _is_alike(commit: str, folder: Path) -> bool:
    """Whether either version reads all that the other stores."""
    return numbers(unpacked(commit, folder)) == formats.known()


def unpacked(commit: str, folder: Path) -> Path:
    """Its packages, in the folder."""
    if not folder.exists():
        folder.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(_git("archive", commit, "--", *PACKAGES))) as archive:
            archive.extractall(folder, filter="data")
    return folder


def numbers(home: Path) -> Mapping[str, int]:
    """The formats that it knows; none if it is from before they had numbers."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", NUMBERS, str(home)],
        env=environment(home),
        cwd=home,
        capture_output=True,
        check=False,
    )
    return json.loads(done.stdout) if done.returncode == 0 else {}


def environment(home: Path) -> dict[str, str]:
    """In which a process runs that version, told nothing of ours."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DISPATCHER_")}
    others = [each for each in kept.get("PYTHONPATH", "").split(os.pathsep) if each not in {"", str(HOME)}]
    return kept | {"PYTHONPATH": os.pathsep.join([str(home), *others])}


def _serves(home: Path, folder: Path) -> bool:
    """Whether it starts, with a server and a folder of its own."""
    told = {"DISPATCHER_DATA_DIR": str(folder), "DISPATCHER_PORT": "0"}
    command, quiet = own_command("serve"), subprocess.DEVNULL
    with subprocess.Popen(command, env=environment(home) | told, cwd=home, stdout=quiet, stderr=quiet) as one:
        address, end_s = folder / "address", time.monotonic() + START_S
        while one.poll() is None and not address.exists() and time.monotonic() < end_s:
            time.sleep(0.1)
        found = address.exists()
        one.terminate()
    return found


def _compiled(home: Path) -> Path:
    """With its kernels, as a wheel has them."""
    command = [sys.executable, "-P", "-m", "solvers.kernels.build"]
    subprocess.run(command, env=environment(home), cwd=home, check=True, capture_output=True)
    return home


def _git(*words: str) -> bytes:
    """What git says; nothing where there is no history."""
    done = subprocess.run(["git", *words], cwd=HOME, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""
