"""What is typed to call us: `dispatcher` where it is installed, `./run` in a checkout, which has none."""

from __future__ import annotations

import shlex
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
PLAIN = "dispatcher"


def typed(words: str = "") -> str:
    """A command line that works here: `typed("token --role ops")`."""
    return f"{_program(HOME, Path.cwd())} {words}".rstrip()


def as_typed(line: str) -> str:
    """A line that begins with `dispatcher`, as it is typed here."""
    first, _, rest = line.partition(" ")
    return typed(rest) if first == PLAIN else line


def _program(home: Path, here: Path) -> str:
    run = home / "run"
    if not (run.is_file() and (home / "pyproject.toml").is_file()):
        return PLAIN
    return "./run" if here == home else shlex.quote(str(run))
