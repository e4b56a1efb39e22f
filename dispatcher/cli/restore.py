"""Put a backup into a store that is empty; stop the service first. Its checksum is looked at before anything.

Without --url it goes into the embedded server's folder, which may be new. What is there is written over only
with --replace: a folder's data is moved aside, a server's is deleted.
"""

from __future__ import annotations

import argparse
import asyncio
import shlex
from pathlib import Path

from dispatcher.cli import OPERATE
from dispatcher.cli._named_store import add_store, settings_of
from dispatcher.runtime.own_command import typed

NAME = "restore"
HELP = "put a backup into an empty store"
GROUP = OPERATE
EXAMPLE = "dispatcher restore /backups/monday.tar --data-dir .dispatcher"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What, and into which store."""
    parser.add_argument("file", type=Path, metavar="FILE", help="a backup")
    add_store(parser)
    parser.add_argument("--replace", action="store_true", help="also where something is stored")
    parser.add_argument("--with-keys", action="store_true", help="also its key files, into the data folder")


def run(args: argparse.Namespace) -> int:
    """Restore it, and say what to look at next."""
    from dispatcher.domain.refusals import Unavailable
    from dispatcher.runtime.errors import UserError
    from dispatcher.serve.backup import PLACES, restore

    settings = settings_of(args)
    try:
        about = asyncio.run(restore(settings, args.file, replace=args.replace, with_keys=args.with_keys))
    except Unavailable as refusal:
        raise UserError(*refusal.detail.split("\n", 1)) from refusal
    print(f"{about.called} is as it was at {about.made_at} (version {about.version} made the backup)")
    for kind, place_of in PLACES.items():
        if kind.part in about.parts:
            print(f"its {kind.called}s lie in {place_of(settings)}, beside what was there")
    if not args.with_keys:
        print(f"it needs the key files that it was made under: {settings.patient_keys_file} for the patients")
    print(f"next: {typed('audit --streams')}{_same_store(args)}, then start the service")
    return 0


def _same_store(args: argparse.Namespace) -> str:
    """The option that names it, where the settings do not; a URL may hold a password."""
    if args.url:
        return " --url URL"
    return f" --data-dir {shlex.quote(str(args.data_dir))}" if args.data_dir else ""
