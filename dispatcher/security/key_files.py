"""Key files: read strictly, made for development when they are missing, never readable by others.

Token keys are a JWKS (RFC 7517). The patient key ring is `{"current": id, "keys": {id: base64 of 32 bytes}}`:
new data is encrypted under `current`, old data stays readable as long as its key is listed. `next`, if it is
there, names the key that is to become current once every process can read it (`dispatcher keys rotate`).
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
from collections.abc import Collection
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from contracts import codec
from contracts.problems import Problem
from dispatcher.runtime.errors import UserError
from dispatcher.runtime.own_command import typed

TOKEN_KEYS, PATIENT_KEYS = "DISPATCHER_TOKEN_KEYS", "DISPATCHER_PATIENT_KEYS"
KEY_BYTES = 32
LONGEST_NAME_BYTES = 255  # its length is stored in one byte
OTHERS = 0o077
OUR_GROUP = 0o040  # may read
BOM = b"\xef\xbb\xbf"
Form = TypeVar("Form")


class KeyFileError(UserError):
    """A key file is missing, malformed, or open to others."""


class PatientKeyFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """The file's contents: AES-256 keys by id, and the id that new data is encrypted under."""

    current: str
    keys: dict[str, bytes]
    next: str = ""


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
    keys = _decode(path, dict[str, list[dict[str, Any]]], TOKEN_KEYS)
    if not keys.get("keys"):
        raise KeyFileError(f"{path} holds no key.", 'Maybe it is no JWKS: {"keys": [{"kty": …}]}.')
    names = [each.get("kid") for each in keys["keys"]]
    if repeated := [name for name in names if names.count(name) > 1]:
        raise KeyFileError(
            f"{path}: two keys have the kid {repeated[0]!r}.", "Give each key a kid of its own."
        )
    return keys


def read_patient_keys(path: Path) -> PatientKeyFile:
    """The patient key ring. Raises KeyFileError."""
    ring = _decode(path, PatientKeyFile, PATIENT_KEYS)
    short = [name for name, key in ring.keys.items() if len(key) != KEY_BYTES]
    if short:
        raise KeyFileError(f"{path}: key {short[0]} is not {KEY_BYTES} bytes long.", "Maybe it was cut.")
    odd = [name for name in ring.keys if not 1 <= len(name.encode()) <= LONGEST_NAME_BYTES]
    if odd:
        raise KeyFileError(
            f"{path}: the id of a key has {len(odd[0].encode())} bytes.", f"It has 1 to {LONGEST_NAME_BYTES}."
        )
    if ring.current not in ring.keys:
        raise KeyFileError(
            f"{path}: the current key '{ring.current}' is not listed.", f"Known: {', '.join(ring.keys)}"
        )
    if ring.next and (ring.next not in ring.keys or ring.next == ring.current):
        raise KeyFileError(
            f"{path}: the next key '{ring.next}' is not listed, or is the current one.",
            f"Known: {', '.join(ring.keys)}",
        )
    return ring


def write_patient_keys(path: Path, ring: PatientKeyFile) -> None:
    """Put it in the file's place, whole or not at all, for this user alone. Raises KeyFileError."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        _write_private(draft, msgspec.json.format(msgspec.json.encode(ring), indent=2) + b"\n")
        draft.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()


class RingFile:
    """The patient key ring of a running process: read again when its file changes."""

    def __init__(self, path: Path) -> None:
        """Raises KeyFileError."""
        self.path = path
        self._seen = _seen(path)
        self.ring = read_patient_keys(path)

    def changed(self) -> PatientKeyFile | None:
        """The ring if its file changed since it was last read; else None. Raises KeyFileError, once each."""
        seen = _seen(self.path)
        if seen == self._seen:
            return None
        self._seen = seen
        self.ring = read_patient_keys(self.path)
        return self.ring


def _seen(path: Path) -> tuple[int, int, int] | None:
    """What differs after any change of the file."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino, found.st_size


def _write_new(path: Path, content: bytes) -> bool:
    """Write atomically, for this user alone; whoever comes second keeps the first one's file."""
    if path.exists():
        return False
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write_private(draft, content)
        os.link(draft, path)
    except FileExistsError:
        if path.parent.is_dir():
            return False
        raise KeyFileError(f"{path.parent} is no folder.", "Maybe choose another data folder.") from None
    except OSError as error:
        raise _unwritten(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            draft.unlink()
    return True


def _sync_folder(folder: Path) -> None:
    """The new name is on disk, too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _unwritten(path: Path, error: OSError) -> KeyFileError:
    return KeyFileError(
        f"cannot write the key file {path}: {error.strerror}.",
        "Maybe its folder is read-only, full or another user's.",
    )


def _write_private(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _decode(path: Path, form: type[Form], setting: str) -> Form:
    """The file as JSON, in which no key stands twice: of two, the last would win in silence.

    `setting`: what says where it is.
    """
    try:
        return msgspec.convert(codec.unpack(_private(path).removeprefix(BOM)), form)
    except FileNotFoundError as error:
        raise KeyFileError(
            f"there is no key file {path}.",
            f"Maybe {setting} should name yours; for development `{typed('serve')}` makes one, and neither a "
            "--role nor a worker does.",
        ) from error
    except OSError as error:
        raise KeyFileError(
            f"cannot read the key file {path}: {error.strerror}.", "Maybe it is a folder, or another user's."
        ) from error
    except Problem as error:  # its first line names no content but a character's place
        reason = error.detail.partition("\n")[0]
        raise KeyFileError(f"{path} is malformed: {reason}.", "Maybe restore it from your backup.") from None
    except msgspec.MsgspecError:
        raise KeyFileError(f"{path} is malformed.", "Maybe restore it from your backup.") from None


def _private(path: Path) -> bytes:
    groups = (os.getegid(), *os.getgroups())
    if path.is_file() and not is_private(path.stat(), os.getuid(), groups):
        raise KeyFileError(f"{path} can be read by others.", f"Maybe `chmod 600 {path}`.")
    return path.read_bytes()


def is_private(found: os.stat_result, user: int, groups: Collection[int]) -> bool:
    """Whether nobody but `user` can read it; or it is the superuser's, for a group of ours to read, no more.

    The latter is how Kubernetes mounts a secret for a process that is not the superuser (`fsGroup`, 0440).
    """
    others = found.st_mode & OTHERS
    return not others or (others == OUR_GROUP and found.st_uid == 0 != user and found.st_gid in groups)
