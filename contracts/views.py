"""Saved views of the board: filters and order under a name, for everybody who looks at a market."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Name, Wire
from contracts.patterns import whole

MAX_VIEWS = 100


class SavedView(Wire):
    """One view: what stands behind the `?` of its address."""

    name: Name
    query: Annotated[str, Meta(pattern=whole("[A-Za-z0-9%+&=._~*-]*"), max_length=2_000)]


class SavedViews(Wire, omit_defaults=False):
    """All views of a market, in their order."""

    views: Annotated[tuple[SavedView, ...], Meta(max_length=MAX_VIEWS)] = ()

    def __post_init__(self) -> None:
        """Refuse two of one name."""
        names = [each.name for each in self.views]
        if twice := next((each for each in names if names.count(each) > 1), None):
            raise ValueError(f"two views are named {twice}\nMaybe give one of them another name.")
