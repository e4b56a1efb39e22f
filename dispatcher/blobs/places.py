"""Where blobs are kept, as the settings say: a folder, or an object store by its URL."""

from __future__ import annotations

from pathlib import Path

from dispatcher.blobs.folder import Folder
from dispatcher.blobs.objects import Objects
from dispatcher.settings import Settings, variable


def decisions_of(settings: Settings) -> Folder | Objects:
    """Where decisions are saved. Raises UserError.

    Not forced to the disk: one that is lost is told by its chain, and the store's own fsyncs come first.
    """
    return _place("decisions", settings.decisions, settings.data_dir)


def proofs_of(settings: Settings) -> Folder | Objects:
    """Where the pictures of proofs are kept; one that was taken is on the disk. Raises UserError."""
    return _place("proofs", settings.proofs, settings.data_dir, durable=True)


def parcels_of(settings: Settings) -> Folder | Objects:
    """Where matchers and workers leave each other what is too large for the broker. Raises UserError."""
    return _place("parcels", settings.parcels, settings.data_dir)


def _place(field: str, value: str, data_dir: Path, *, durable: bool = False) -> Folder | Objects:
    if "://" in value:
        return Objects(value, variable(field))
    return Folder(Path(value) if value else data_dir / field, durable=durable)
