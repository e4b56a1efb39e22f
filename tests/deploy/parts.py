"""Whether what files name that start the service somewhere exists: settings, commands, pages."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from dispatcher import cli, settings
from dispatcher.http.routing import subjects

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
USER = 10_001  # the image's
SETTINGS = {name for name, *_ in settings.described()}
PAGES = {route.operation.path for subject in subjects() for route in subject}


def read(path: Path) -> list[dict[str, Any]]:
    """Its documents."""
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


def refuse_unknown_settings(told: Mapping[str, Any]) -> None:
    """Each of ours is a setting with a value that it may have. Raises SettingsError."""
    ours = {name: value for name, value in told.items() if name.startswith(settings.PREFIX)}
    files = {name for name in ours if name.endswith("_FILE")}  # not here
    settings.Settings.read({name: str(ours[name]) for name in ours.keys() - files})
    assert files <= SETTINGS


def refuse_unknown_command(words: Sequence[str]) -> None:
    """The command line is one of `dispatcher`'s. Raises UsageError."""
    name, *rest = words
    assert name in cli.command_names()
    cli._parser(cli.load(name)).parse_args(rest)


def durable(text: str) -> dict[str, str]:
    """A Valkey's settings, as its file has them."""
    lines = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
    return {name: value.strip('"') for name, value in lines}


def made_secrets(folder: Path) -> set[str]:
    """The names of what `secrets.sh` makes there, told where by a way from where its caller stands."""
    command = [DEPLOY / "compose" / "secrets.sh", folder.name]
    subprocess.run(command, check=True, cwd=folder.parent, env={"PATH": os.environ["PATH"]})
    return {each.name for each in folder.iterdir()}


BUILDS = next(
    (each for each in (["kustomize", "build"], ["kubectl", "kustomize"]) if shutil.which(each[0])), []
)


def built_overlay(folder: Path) -> list[dict[str, Any]]:
    """All objects of the overlay as kustomize makes them, with secrets made for it, in that folder."""
    overlay = folder / "kubernetes" / "overlays" / "production"
    shutil.copytree(DEPLOY / "kubernetes", folder / "kubernetes")
    made_secrets(overlay / "secrets")
    done = subprocess.run([*BUILDS, str(overlay)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def all_of(found: Any, name: str) -> Iterable[Any]:
    """Every value of that name, however deep it lies."""
    if isinstance(found, Mapping):
        for key, value in found.items():
            if key == name:
                yield value
            yield from all_of(value, name)
    elif isinstance(found, list):
        for each in found:
            yield from all_of(each, name)
