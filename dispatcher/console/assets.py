"""What the pages are made of, from the wheel: read once, under an address that changes when they change."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "assets"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html"}
FIRST = ("core", "parts")  # folders of modules that every page needs
SHELL = "shell.html"


class Asset(NamedTuple):
    """A file as it is sent."""

    body: bytes
    media: str
    etag: str


class Assets:
    """All files of the folder, by their path in it; `digest` changes with any of them."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._found = {path.relative_to(folder).as_posix(): _read(path) for path in _files(folder)}
        joined = "".join(f"{name} {each.etag}\n" for name, each in self._found.items())
        self.digest = hashlib.sha256(joined.encode()).hexdigest()[:12]
        self.base = f"/console/assets/{self.digest}"

    def get(self, name: str) -> Asset | None:
        """A file by its path in the folder."""
        return self._found.get(name)

    def shell(self) -> bytes:
        """The page itself: it names the first modules, so that no round trip finds them one by one."""
        first = [each for each in self._found if each.endswith(".js") and each.startswith(FIRST)]
        styles = [each for each in self._found if each.endswith(".css")]
        links = [f'<link rel="stylesheet" href="{self.base}/{each}">' for each in styles]
        links += [f'<link rel="modulepreload" href="{self.base}/{each}">' for each in first]
        page = self._found[SHELL].body.decode()
        return page.replace("{links}", "\n".join(links)).replace("{base}", self.base).encode()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix in TYPES)


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body, TYPES[path.suffix], f'"{hashlib.sha256(body).hexdigest()[:16]}"')
