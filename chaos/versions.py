"""The last release of the service, installed from its wheel: to be run beside this version."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from dispatcher.runtime.own_packages import HOME
from dispatcher.store import formats

RELEASES: Final = "v*"
BUILT_OF: Final = (
    *("contracts", "client", "solvers", "simulation", "dispatcher"),
    *("pyproject.toml", "hatch_build.py", "README.md"),
)
#: Nothing is released yet. Until a release has its tag, this version stands for it.
STANDS_FOR_RELEASED: Final = "6b7a18f17f06"
NUMBERS = """
import json, pathlib, sys
from dispatcher.store import formats
assert pathlib.Path(formats.__file__).is_relative_to(sys.argv[1])  # and no other
print(json.dumps(formats.known()))
"""


class Release(NamedTuple):
    """What it is called, and where its packages are installed."""

    name: str
    home: Path

    @property
    def is_alike(self) -> bool:
        """Whether it and this version read all that the other stores: then they run side by side."""
        return numbers(self.home) == formats.known()


def last_release(folder: Path, wheel: Path | None = None) -> Release:
    """From that wheel; else from one built of the last tag; where history lacks it, of this version."""
    if wheel is not None:
        return Release(wheel.name, _installed(wheel, folder))
    tag = _git("describe", "--tags", "--abbrev=0", f"--match={RELEASES}", "HEAD^").decode().strip()
    for name in (tag, STANDS_FOR_RELEASED):
        if name and (archive := _git("archive", name, "--", *BUILT_OF)):
            with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
                opened.extractall(folder / "source", filter="data")
            return _built(name, folder / "source", folder)
    return _built("this version", HOME, folder)


def _built(name: str, source: Path, folder: Path) -> Release:
    """Its wheel, installed. Where nothing is there that builds wheels, the packages that would be in it."""
    if find_spec("hatchling") is None:
        return Release(f"packages of {name}", HOME if source == HOME else _compiled(source))
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return Release(f"the wheel of {name}", _installed(wheel, folder))


def _installed(wheel: Path, folder: Path) -> Path:
    """As an installer leaves it: the packages beside each other, away from any checkout."""
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(folder / "installed")
    return folder / "installed"


def _compiled(home: Path) -> Path:
    """With its kernels, as a wheel has them."""
    command = [sys.executable, "-P", "-m", "solvers.kernels.build"]
    subprocess.run(command, env=environment(home), cwd=home, check=True, capture_output=True)
    return home


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


def _git(*words: str) -> bytes:
    """What git says; nothing where there is no history."""
    done = subprocess.run(["git", *words], cwd=HOME, capture_output=True, check=False)
    return done.stdout if done.returncode == 0 else b""
