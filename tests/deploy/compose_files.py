"""What Compose makes of its files, as far as ours use it: variables, `extends`, one file over another."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

import yaml

Words = Mapping[str, Any]


def read(path: Path) -> dict[str, Any]:
    """One file, its variables with the values that they have unless they are set."""
    text = re.sub(r"(?<!\$)\$\{\w+:-([^}]*)\}", r"\1", path.read_text())
    found: dict[str, Any] = yaml.safe_load(text.replace("$$", "$"))
    return found


def services(paths: Sequence[Path]) -> dict[str, dict[str, Any]]:
    """The services of several files together, a later file over those before it."""
    return reduce(over, (_extended(path) for path in paths), {})


def _extended(path: Path) -> dict[str, Any]:
    return {name: _whole(each, path) for name, each in read(path)["services"].items()}


def _whole(service: Words, path: Path) -> dict[str, Any]:
    """With what it extends."""
    if "extends" not in service:
        return dict(service)
    of = service["extends"]
    below = _extended(path.with_name(of["file"]))[of["service"]]
    return over(below, {name: each for name, each in service.items() if name != "extends"})


def over(below: Words, above: Words) -> dict[str, Any]:
    """Mappings are put together; of two mounts in one place the later one counts; all else is replaced."""
    made = dict(below)
    for name, each in above.items():
        if name == "volumes" and isinstance(each, list):
            made[name] = list(
                (
                    {_place(one): one for one in below.get(name, ())} | {_place(one): one for one in each}
                ).values()
            )
        elif isinstance(each, Mapping):
            made[name] = over(made.get(name) or {}, each)
        else:
            made[name] = each
    return made


def _place(mount: str) -> str:
    return mount.split(":")[1]
