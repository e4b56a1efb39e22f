"""Key files: read strictly, made for development when they are missing, never readable by others.

Token keys are a JWKS (RFC 7517). The patient key ring is `{"current": id, "keys": {id: base64 of 32 bytes}}`:
new data is encrypted under `current`, old data stays readable as long as its key is listed.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from dispatcher.runtime.errors import UserError

KEY_BYTES = 32
OTHERS = 0o077
Form = TypeVar("Form")


class KeyFileError(UserError):
    """A key file is missing, malformed, or open to others."""


class PatientKeyFile(msgspec.Struct, frozen=True):
    """The file's contents: AES-256 keys by id, and the id that new data is encrypted under."""

    current: str
    keys: dict[str, bytes]


def ensure_token_keys(path: Path) -> bool:
    """Make a development JWKS with one HS256 key unless the file exists; True if it was made."""
    secret = base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).rstrip(b"=").decode()
    key = {"kty": "oct", "kid": "dev", "alg": "HS256", "use": "sig", "k": secret}
    return _write_new(path, msgspec.json.encode({"keys": [key]}))


def ensure_patient_keys(path: Path) -> bool:
    """Make a development key ring with one key unless the file exists; True if it was made."""
    return _write_new(
        path, msgspec.json.encode(PatientKeyFile("dev", {"dev": secrets.token_bytes(KEY_BYTES)}))
    )


def read_token_keys(path: Path) -> dict[str, Any]:
    """The JWKS as JSON. Raises KeyFileError."""
    keys = _decode(path, dict[str, list[dict[str, Any]]])
    if not keys.get("keys"):
        raise KeyFileError(f"{path} holds no key.", 'Maybe it is no JWKS: {"keys": [{"kty": …}]}.')
    return keys


def read_patient_keys(path: Path) -> PatientKeyFile:
    """The patient key ring. Raises KeyFileError."""
    ring = _decode(path, PatientKeyFile)
    short = [name for name, key in ring.keys.items() if len(key) != KEY_BYTES]
    if short:
        raise KeyFileError(f"{path}: key {short[0]} is not {KEY_BYTES} bytes long.", "Maybe it was cut.")
    if ring.current not in ring.keys:
        raise KeyFileError(
            f"{path}: the current key '{ring.current}' is not listed.", f"Known: {', '.join(ring.keys)}"
        )
    return ring


def _write_new(path: Path, content: bytes) -> bool:
    """Write atomically, for this user alone; whoever comes second keeps the first one's file."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
            return True
        return False
    finally:
        draft.unlink()


def _decode(path: Path, form: type[Form]) -> Form:
    try:
        if path.stat().st_mode & OTHERS:
            raise KeyFileError(f"{path} can be read by others.", f"Maybe `chmod 600 {path}`.")
        return msgspec.json.decode(path.read_bytes(), type=form)
    except FileNotFoundError as error:
        raise KeyFileError(
            f"there is no key file {path}.", "Maybe `dispatcher serve` has not run here yet."
        ) from error
    except OSError as error:
        raise KeyFileError(
            f"the key file {path} cannot be read: {error.strerror}.",
            "Maybe it is a folder, or another user's.",
        ) from error
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{path} is malformed.", "Maybe restore it from your backup.") from error
