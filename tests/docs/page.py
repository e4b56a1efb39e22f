"""The files of `docs/extending.md`, laid where the page says: they are found as if they stood there."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module, invalidate_caches
from pathlib import Path, PurePosixPath

from contracts import event_types
from dispatcher.domain import kinds
from dispatcher.domain.commands import table
from dispatcher.http.routing import subjects
from solvers.rules import registry

PAGE = Path(__file__).parents[2] / "docs" / "extending.md"
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
FILES = {block.partition("\n")[0].removeprefix("# "): block for block in BLOCKS}
PACKAGES = sorted({str(PurePosixPath(name).parent).replace("/", ".") for name in FILES})


@contextmanager
def laid(folder: Path) -> Iterator[None]:
    """The page's files are part of their packages within the block; what they declared is gone after it."""
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    with ExitStack() as stack:
        for each in (event_types, kinds, table, registry):
            stack.enter_context(each.temporary())
        for package in PACKAGES:
            stack.enter_context(_wider(package, folder))
        stack.callback(subjects.cache_clear)
        subjects.cache_clear()
        yield


@contextmanager
def _wider(package: str, folder: Path) -> Iterator[None]:
    """The package with what lies under the folder."""
    found, place = import_module(package), str(folder / package.replace(".", "/"))
    found.__path__.append(place)
    invalidate_caches()
    try:
        yield
    finally:
        found.__path__.remove(place)
        for name, module in list(sys.modules.items()):
            if name.rpartition(".")[0] == package and str(module.__file__).startswith(place):
                del sys.modules[name]
                delattr(found, name.rpartition(".")[2])
