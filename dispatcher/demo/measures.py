"""Memory and disk, as an operator would measure them."""

from __future__ import annotations

import importlib.util
import os
import sysconfig
from pathlib import Path

MEGABYTE = 1_000_000


def resident_mb(supervisor_pid: int, role: str) -> float | None:
    """Resident memory of the supervisor's child in `role`; None where there is no /proc."""
    children = Path(f"/proc/{supervisor_pid}/task/{supervisor_pid}/children")
    if not children.exists():
        return None
    for pid in children.read_text().split():
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if role.encode() in words:
            pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            return round(pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE, 1)
    return None


def environment_mb() -> float:
    """What the service's environment takes on disk: all of a virtual environment, else its packages.

    It is the one that holds the dependencies; a bench or test environment is a layer over it.
    """
    spec = importlib.util.find_spec("aiohttp")
    packages = Path(spec.origin).parents[1] if spec and spec.origin else Path(sysconfig.get_path("purelib"))
    inside = next((each for each in packages.parents if (each / "pyvenv.cfg").is_file()), packages)
    return round(_size(inside) / MEGABYTE, 1)


def _size(folder: Path) -> int:
    total = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                total += _size(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                total += entry.stat(follow_symlinks=False).st_blocks * 512
    return total
