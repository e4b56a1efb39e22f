"""Whether the packages that the service imports by plain names are its own: `contracts` may be anybody's.

Looked at once, at the start of the command line, before any of them is imported.
"""

from __future__ import annotations

import re
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

from dispatcher.runtime.errors import UserError

OURS = ("contracts", "client", "solvers", "simulation")
HOME = Path(__file__).resolve().parents[2]  # where `dispatcher` lies: a checkout, or site-packages
_MARK = re.compile(r'^DISTRIBUTION = "dispatcher"', re.MULTILINE)


class ForeignPackage(UserError):
    """A package of the service is another's, or its files were written over."""


def refuse_foreign() -> None:
    """Raises ForeignPackage unless each of OURS lies beside `dispatcher` and says that it belongs to it."""
    for name in OURS:
        spec = find_spec(name)
        if spec is None:
            raise ForeignPackage(
                f"there is no package {name!r} beside {HOME / 'dispatcher'}.",
                "Maybe the installation is incomplete: install dispatcher again.",
            )
        if not lies_here(name) or not _MARK.search(_source(spec)):
            raise ForeignPackage(
                f"the package {name!r} in {_place(spec)} is not dispatcher's{_whose(name)}.",
                "Maybe give dispatcher an environment of its own (pipx, a new venv, the image), or uninstall "
                "the other package and then install dispatcher again; or a folder of the working directory "
                "comes first: start from elsewhere.",
            )


def lies_here(name: str) -> bool:
    """Whether a package is what lies beside `dispatcher`."""
    spec = find_spec(name)
    return spec is not None and _place(spec) == HOME / name


def _place(spec: ModuleSpec) -> Path:
    folders = list(spec.submodule_search_locations or ())
    return Path(folders[0] if folders else spec.origin or "").resolve()


def _source(spec: ModuleSpec) -> str:
    """The text of its `__init__`; "" if it has none: another's was written over ours, and uninstalled."""
    get_source = getattr(spec.loader, "get_source", None)  # of a loader that reads files, packed or not
    return get_source(spec.name) or "" if get_source else ""


def _whose(name: str) -> str:
    """Of which installed distribution it is, as far as that is known."""
    from importlib.metadata import packages_distributions  # noqa: PLC0415 - 15 ms that only an error needs

    others = [each for each in packages_distributions().get(name, ()) if each != "dispatcher"]
    return f" but of the distribution {' and '.join(sorted(set(others)))}" if others else ""
