"""Key files in a backup: only where that is asked for, for whoever has both can read everything."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

from dispatcher.runtime.arguments import writing
from dispatcher.runtime.errors import UserError
from dispatcher.serve import archive
from dispatcher.serve.archive import About
from dispatcher.settings import Settings

KEYS = ("token-keys.json", "patient-keys.json")


class NotEmpty(UserError):
    """Something is stored where the backup would go."""


def key_files(settings: Settings) -> dict[str, bytes]:
    """What the key files hold, by the name that they have in a backup. Raises UserError."""
    files = dict(zip(KEYS, (settings.token_keys_file, settings.patient_keys_file), strict=True))
    try:
        return {name: path.read_bytes() for name, path in files.items()}
    except OSError as error:
        raise UserError(
            f"cannot read the key file {error.filename}: {error.strerror}.", "Maybe leave --with-keys out."
        ) from error


def packed_keys(tar: tarfile.TarFile, about: About) -> dict[str, tuple[str, bytes]]:
    """Where each goes, and what it holds. Raises UserError: the backup was made without."""
    if missing := [name for name in KEYS if name not in about.parts]:
        raise UserError(f"the backup holds no {missing[0]}.", "Maybe leave --with-keys out.")
    return {name: (name, archive.read(tar, name).read()) for name in KEYS}


def refuse_there(path: Path, replace: bool) -> None:
    """Raises NotEmpty for a key file that would be lost."""
    if path.exists() and not replace:
        raise NotEmpty(f"there is a key file {path}.", "Maybe leave --with-keys out, or move it aside first.")


def write_private(path: Path, content: bytes) -> None:
    """Whole or not at all, for its owner alone."""
    with writing(path):
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, archive.PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        draft.replace(path)
