"""The whole service with what `docs/extending.md` adds to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from dispatcher.tuning.registry import Registry
from tests.docs.page import laid
from tests.http.conftest import api, cancelling, engine, limits, market, more_routes, store  # noqa: F401


@pytest.fixture
def page(tmp_path: Path) -> Iterator[None]:
    """The page's files, part of their packages."""
    with laid(tmp_path):
        yield


@pytest.fixture
def registry(page: None) -> Registry:
    """Every parameter, those of the page among them; what is made with it comes after the page."""
    return Registry.found()
