"""Where records lie: a folder, or an object store by its URL. Named `market/day/name`; called in threads."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from dispatcher.runtime.errors import UserError

_DRAFT = ".draft-"
RETRIES: Any = {
    "max_retries": 2,
    "retry_timeout": dt.timedelta(seconds=20),
}  # else a thread hangs for minutes


class Blob(NamedTuple):
    """One that is kept."""

    name: str
    size: int


class Blobs(Protocol):
    """They raise OSError for what goes wrong."""

    def put(self, name: str, content: bytes) -> None:
        """Keep it, whole or not at all."""

    def get(self, name: str) -> bytes | None:
        """What is kept; None: nothing."""

    def under(self, folder: str) -> list[Blob]:
        """All below a folder, sorted by name."""

    def remove(self, names: Iterable[str]) -> None:
        """Keep them no longer."""


class Folder:
    """Files, private to this user."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __str__(self) -> str:
        return str(self.root)

    def put(self, name: str, content: bytes) -> None:
        """See `Blobs`. Not forced to the disk: the store's own fsyncs come first."""
        path = self.root / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = path.parent / f"{_DRAFT}{secrets.token_hex(6)}"
        try:
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:  # noqa: PTH123
                file.write(content)
            draft.replace(path)
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise

    def get(self, name: str) -> bytes | None:
        """See `Blobs`."""
        try:
            return (self.root / name).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    def under(self, folder: str) -> list[Blob]:
        """See `Blobs`."""
        found = []
        for path in (self.root / folder).rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # another tidies up, too
                if path.is_file() and not path.name.startswith(_DRAFT):
                    found.append(Blob(path.relative_to(self.root).as_posix(), path.stat().st_size))
        return sorted(found)

    def remove(self, names: Iterable[str]) -> None:
        """See `Blobs`; folders that are empty then go, too."""
        folders = set()
        for name in names:
            (self.root / name).unlink(missing_ok=True)
            folders.add((self.root / name).parent)
        for each in folders:
            with contextlib.suppress(OSError):
                each.rmdir()


class Memory(dict[str, bytes]):
    """Nothing outlives the process: for a service that is given no place."""

    def put(self, name: str, content: bytes) -> None:
        """See `Blobs`."""
        self[name] = content

    def under(self, folder: str) -> list[Blob]:
        """See `Blobs`."""
        return sorted(Blob(name, len(held)) for name, held in self.items() if name.startswith(f"{folder}/"))

    def remove(self, names: Iterable[str]) -> None:
        """See `Blobs`."""
        for each in list(names):
            self.pop(each, None)


class Objects:
    """An object store, by obstore; its credentials come from where its kind looks for them."""

    def __init__(self, url: str) -> None:
        """Raises UserError. Nothing is asked yet."""
        self.url = url
        try:
            import obstore.store  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise UserError(
                f"DISPATCHER_DECISIONS is '{_shown(url)}', an object store, and obstore is not installed.",
                "Maybe install dispatcher[s3], or name a folder.",
            ) from error
        self._obstore: Any = obstore
        try:
            self._store: Any = self._obstore.store.from_url(
                url, client_options=_options(url), retry_config=RETRIES
            )
        except Exception as error:
            raise UserError(
                f"DISPATCHER_DECISIONS is '{_shown(url)}', which is no object store that is known.",
                "Maybe s3://bucket/path, gs://bucket/path, az://account/container/path, or a folder.",
            ) from error

    def __str__(self) -> str:
        return _shown(self.url)

    def put(self, name: str, content: bytes) -> None:
        """See `Blobs`."""
        with _as_os_error(self):
            self._obstore.put(self._store, name, content)

    def get(self, name: str) -> bytes | None:
        """See `Blobs`."""
        with _as_os_error(self):
            try:
                return bytes(self._obstore.get(self._store, name).bytes())
            except FileNotFoundError:
                return None

    def under(self, folder: str) -> list[Blob]:
        """See `Blobs`."""
        with _as_os_error(self):
            listed = self._obstore.list(self._store, prefix=folder)
            return sorted(Blob(each["path"], each["size"]) for chunk in listed for each in chunk)

    def remove(self, names: Iterable[str]) -> None:
        """See `Blobs`."""
        with _as_os_error(self):
            if wanted := list(names):
                self._obstore.delete(self._store, wanted)


@contextlib.contextmanager
def _as_os_error(where: Objects) -> Any:
    try:
        yield
    except Exception as error:  # obstore's words may hold a signed address
        raise OSError(f"{where} does not do as it is asked ({type(error).__name__})") from None


def _options(url: str) -> dict[str, Any]:
    """A store of one's own network may speak plain HTTP where its endpoint says so."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL", os.environ.get("AWS_ENDPOINT", ""))
    plain = url.startswith("http://") or endpoint.startswith("http://")
    return {"timeout": "10s"} | ({"allow_http": True} if plain else {})


def _shown(url: str) -> str:
    """Without what may be a password."""
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2].partition('?')[0]}"


def blobs_of(setting: str, folder: Path) -> Folder | Objects:
    """What `DISPATCHER_DECISIONS` says: a URL or a folder; empty: `decisions` in the data folder."""
    if "://" in setting:
        return Objects(setting)
    return Folder(Path(setting) if setting else folder / "decisions")
