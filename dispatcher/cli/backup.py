"""Write a backup of all that is stored, at one moment, while the service goes on.

The file has a checksum, is for this user alone (mode 0600), and holds patients only sealed. The keys that
open them are not in it unless --with-keys is given: then whoever has the file has all. Keep them apart.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Collection
from typing import TYPE_CHECKING

from dispatcher.cli import OPERATE
from dispatcher.cli._named_store import add_store, settings_of
from dispatcher.runtime.arguments import output_path

if TYPE_CHECKING:
    from dispatcher.serve.backup_blobs import Kind
    from dispatcher.settings import Settings

NAME = "backup"
HELP = "write a backup of the store, while it runs"
GROUP = OPERATE
EXAMPLE = "dispatcher backup /backups/monday.tar"
WITHOUT = (
    "key files are not in it: keep the patient keys too, apart from it, or no patient and no door can be read"
)
LEFT_OUT = "saved decisions are not in it: they lie in {}; --with-decisions puts them in (docs/operations.md)"
WITH = "the key files are in it: who has this file can read every patient"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Of what, and where to."""
    parser.add_argument("file", type=output_path, metavar="FILE", help="where to; it must not be there yet")
    add_store(parser)
    parser.add_argument(
        "--without-pictures",
        action="store_true",
        help="leave out the pictures of proofs (see DISPATCHER_PROOFS)",
    )
    decisions = parser.add_mutually_exclusive_group()
    decisions.add_argument(
        "--with-decisions",
        dest="decisions",
        action="store_true",
        default=None,
        help="put saved decisions into it from an object store, too (see DISPATCHER_DECISIONS)",
    )
    decisions.add_argument(
        "--without-decisions", dest="decisions", action="store_false", help="leave saved decisions out"
    )
    parser.add_argument("--with-keys", action="store_true", help="put the key files into it, too")


def run(args: argparse.Namespace) -> int:
    """Write it, and say what is in it."""
    from dispatcher.domain.refusals import Unavailable
    from dispatcher.runtime.errors import UserError
    from dispatcher.serve.backup import back_up
    from dispatcher.serve.backup_blobs import DECISIONS, PICTURES

    if args.file.exists():
        raise UserError(
            f"there is a file '{args.file}'.", "Maybe name another: backups are not written over."
        )
    settings = settings_of(args)
    try:
        pictures = not args.without_pictures
        made = back_up(
            settings,
            args.file,
            with_keys=args.with_keys,
            with_pictures=pictures,
            with_decisions=args.decisions,
        )
        about = asyncio.run(made)
    except Unavailable as refusal:
        raise UserError(*refusal.detail.split("\n", 1)) from refusal
    size = sum(part.bytes for part in about.parts.values())
    print(f"{args.file}: {size:,} bytes of {about.called}, format {about.format}, {about.made_at}")
    print(WITH if args.with_keys else WITHOUT)
    if (place := _elsewhere(settings, DECISIONS, about.parts)) is not None:
        print(LEFT_OUT.format(place))
    if (place := _elsewhere(settings, PICTURES, about.parts)) is not None:
        print(f"pictures of proofs are not in it: they lie in {place}; keep a copy of that, too")
    return 0


def _elsewhere(settings: Settings, kind: Kind, parts: Collection[str]) -> str | None:
    """Where those lie that are not in the backup; None: there are none such."""
    from dispatcher.serve.backup import PLACES
    from dispatcher.serve.backup_blobs import folder_of

    place = PLACES[kind](settings)
    is_empty = folder_of(place) is None and "://" not in str(place)
    return None if kind.part in parts or is_empty else str(place)
