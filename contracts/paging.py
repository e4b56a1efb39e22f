"""Listings in pages."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

MAX_PAGE = 200


Cursor = Annotated[
    str, Meta(pattern="^([0-9]{1,16}\\.[A-Za-z0-9_-]{1,64})?(?!\\n)$", description="of the page before")
]
PageSize = Annotated[int, Meta(ge=1, le=MAX_PAGE)]
