"""Which store a command is about: what its options name, else that of the service."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dispatcher.settings import Settings

OF_A_STORE = (
    "redis_url",
    "redis_password_file",
    "proofs",
    "decisions",
)  # settings that are of one store alone


def add_store(parser: argparse.ArgumentParser) -> None:
    """Its address, or its folder."""
    parser.add_argument(
        "--url", help="the store; default: DISPATCHER_REDIS_URL, else the one in the data folder"
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        metavar="FOLDER",
        help="folder of an embedded store, and that one is meant without --url, with what lies beside it",
    )


def settings_of(args: argparse.Namespace) -> Settings:
    """The environment's, of the store that is named. Raises SettingsError.

    Whoever names a folder means it: DISPATCHER_REDIS_URL stands on every machine of the service, and a backup
    that is tried in a folder must not go into the store that it was made of; nor its pictures and decisions
    to where that one's lie.
    """
    from dispatcher.settings import Settings, variable

    folder = args.data_dir and str(args.data_dir)
    options = {"redis_url": ("--url", args.url), "data_dir": ("--data-dir", folder)}
    environment = dict(os.environ)
    url, own = (environment.get(variable(each)) for each in ("redis_url", "data_dir"))
    if folder and not args.url and (url or (own and Path(own).resolve() != Path(folder).resolve())):
        for each in OF_A_STORE:
            environment.pop(variable(each), None)
    return Settings.read(environment, options)
