"""What the pages are made of, from the wheel: read once, under an address that changes when they change."""

from __future__ import annotations

import gzip
import hashlib
import posixpath
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "assets"
TYPES = {
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".html": "text/html",
    ".webmanifest": "application/manifest+json",
}
TEXTS = frozenset(TYPES) - {".png"}


IMPORTED = re.compile(r'^(?:import|export)\b[^;"]*"(\.[^"]+)";$', re.MULTILINE)


class Page(NamedTuple):
    """A page: its shell, the modules that every one of its views begins with, and its styles."""

    shell: str
    first: tuple[str, ...]
    styles: tuple[str, ...]


CONSOLE = Page("shell.html", ("core/early.js", "core/app.js"), ("style/",))
# what is shown first; the rest is asked for when it is shown, or once all is quiet
VENDOR = Page(
    "vendor/shell.html",
    ("vendor/core/app.js", "vendor/panels/offers.js"),
    ("style/1-tokens.css", "vendor/style/"),
)


class Asset(NamedTuple):
    """A file as it is sent."""

    body: bytes
    media: str
    etag: str
    charset: str | None = "utf-8"
    packed: bytes | None = None  # the same by gzip, for who takes that


class Assets:
    """All files of the folder, by their path in it; `digest` changes with any of them."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._found = {path.relative_to(folder).as_posix(): _read(path) for path in _files(folder)}
        self._imports = {
            name: _imports(name, each.body) for name, each in self._found.items() if _is_module(name)
        }
        joined = "".join(f"{name} {each.etag}\n" for name, each in self._found.items())
        self.digest = hashlib.sha256(joined.encode()).hexdigest()[:12]
        self.base = f"/console/assets/{self.digest}"

    def get(self, name: str) -> Asset | None:
        """A file by its path in the folder."""
        return self._found.get(name)

    def named(self, *beginnings: str) -> list[str]:
        """The names that begin so."""
        return [each for each in self._found if each.startswith(beginnings)]

    def shell(self, page: Page = CONSOLE, view: str = "") -> bytes:
        """The page itself: it names the first modules, so that no round trip finds them one by one.

        `view`: the module of the view that is opened, if there is such a one; of others none is fetched.
        """
        modules = self.imported(*page.first, *([view] if view in self._found else []))
        styles = [each for each in self.named(*page.styles) if each.endswith(".css")]
        links = [f'<link rel="stylesheet" href="{self.base}/{each}">' for each in styles]
        links += [f'<link rel="modulepreload" href="{self.base}/{each}">' for each in modules]
        body = self._found[page.shell].body.decode()
        return body.replace("{links}", "\n".join(links)).replace("{base}", self.base).encode()

    def imported(self, *names: str) -> list[str]:
        """These modules and all that they import, each once, in the order in which a browser finds them."""
        found = dict.fromkeys(names)
        for name in (waiting := list(found)):
            new = [each for each in self._imports[name] if each not in found]
            found |= dict.fromkeys(new)
            waiting += new
        return list(found)

    def filled(self, name: str) -> bytes:
        """A text of the folder that names others of it."""
        return self._found[name].body.replace(b"{base}", self.base.encode())


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.suffix in TYPES)


def _is_module(name: str) -> bool:
    return name.endswith(".js")


def _imports(name: str, body: bytes) -> list[str]:
    """The modules that it names at its head, by their paths in the folder."""
    said = IMPORTED.findall(body.decode())
    return [posixpath.normpath(posixpath.join(posixpath.dirname(name), each)) for each in said]


def _read(path: Path) -> Asset:
    body = path.read_bytes()
    charset = "utf-8" if path.suffix in TEXTS else None
    packed = gzip.compress(body, mtime=0) if charset else None
    return Asset(body, TYPES[path.suffix], f'W/"{hashlib.sha256(body).hexdigest()[:16]}"', charset, packed)
