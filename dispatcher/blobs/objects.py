"""Blobs in an object store, by its URL, through obstore; its credentials come from where its kind looks."""

from __future__ import annotations

import contextlib
import datetime as dt
import os
from collections.abc import Iterable
from typing import Any

from dispatcher.blobs.port import Blob
from dispatcher.runtime.errors import UserError

RETRIES: Any = {
    "max_retries": 2,
    "retry_timeout": dt.timedelta(seconds=20),
}  # else a thread hangs for minutes


class Objects:
    """See `Blobs`. `setting`: what names it, for whoever reads that it cannot be used."""

    def __init__(self, url: str, setting: str = "the URL") -> None:
        """Raises UserError. Nothing is asked yet."""
        self.url = url
        try:
            import obstore.store  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise UserError(
                f"{setting} is '{_shown(url)}', an object store, and obstore is not installed.",
                "Maybe install dispatcher[s3], or name a folder.",
            ) from error
        self._obstore: Any = obstore
        try:
            self._store: Any = self._obstore.store.from_url(
                url, client_options=_options(url), retry_config=RETRIES
            )
        except Exception as error:
            raise UserError(
                f"{setting} is '{_shown(url)}', which is no object store that is known.",
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

    def has(self, name: str) -> bool:
        """See `Blobs`."""
        with _as_os_error(self):
            try:
                return bool(self._obstore.head(self._store, name))
            except FileNotFoundError:
                return False

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
