"""Write a backup of all that is stored, at one moment, while the service goes on.

The file has a checksum, is for this user alone (mode 0600), and holds patients only sealed. The keys that
open them are not in it unless --with-keys is given: then whoever has the file has all. Keep them apart.
"""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from dispatcher.cli import OPERATE
from dispatcher.runtime.arguments import output_path

NAME = "backup"
HELP = "write a backup of the store, while it runs"
GROUP = OPERATE
EXAMPLE = "dispatcher backup /backups/monday.tar"
WITHOUT = (
    "key files are not in it: keep the patient keys too, apart from it, or no patient and no door can be read"
)
DECISIONS = (
    "saved decisions are not in it: copy their folder after it, if you want to keep them (docs/operations.md)"
)
WITH = "the key files are in it: who has this file can read every patient"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of what, and where to."""
    parser.add_argument("file", type=output_path, metavar="FILE", help="where to; it must not be there yet")
    parser.add_argument(
        "--url", help="the store; default: DISPATCHER_REDIS_URL, else that of the data folder"
    )
    parser.add_argument("--data-dir", type=Path, metavar="FOLDER", help="folder of an embedded store")
    parser.add_argument("--with-keys", action="store_true", help="put the key files into it, too")


def run(args: argparse.Namespace) -> int:
    """Write it, and say what is in it."""
    from dispatcher.domain.refusals import Unavailable
    from dispatcher.runtime.errors import UserError
    from dispatcher.serve.backup import back_up
    from dispatcher.settings import Settings

    if args.file.exists():
        raise UserError(
            f"there is a file '{args.file}'.", "Maybe name another: backups are not written over."
        )
    options = {"redis_url": ("--url", args.url)}
    settings = Settings.read(os.environ, options, data_dir=args.data_dir)
    try:
        about = asyncio.run(back_up(settings, args.file, with_keys=args.with_keys))
    except Unavailable as refusal:
        raise UserError(*refusal.detail.split("\n", 1)) from refusal
    size = sum(part.bytes for part in about.parts.values())
    print(f"{args.file}: {size:,} bytes of store {about.identity}, format {about.format}, {about.made_at}")
    print(WITH if args.with_keys else WITHOUT)
    print(DECISIONS)
    return 0
