"""Listings in pages."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.patterns import whole

MAX_PAGE = 200
# In a feed: an entry's id (each half has 64 bits), or one of each of two streams; sent back as it came.
POSITION = "[0-9]{1,20}-[0-9]{1,20}(~[0-9]{1,20}-[0-9]{1,20})?"


Cursor = Annotated[
    str, Meta(pattern=whole("([0-9]{1,16}\\.[A-Za-z0-9_.-]{1,110})?"), description="of the page before")
]
PageSize = Annotated[int, Meta(ge=1, le=MAX_PAGE)]
