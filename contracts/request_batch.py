"""Several requests in one call."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated

from msgspec import Meta

from contracts.base import Wire
from contracts.geo import Position
from contracts.requests import MAX_BATCH, Request, doors_of


class RequestBatch(Wire):
    """Up to 1,000 requests, all stored in one commit or none."""

    requests: Annotated[tuple[Request, ...], Meta(min_length=1, max_length=MAX_BATCH)]

    def refuse_from_outside(self, pointer: str = "") -> None:
        """Refuse what one of them must not say."""
        for place, request in enumerate(self.requests):
            request.refuse_from_outside(f"{pointer}/requests/{place}")

    def named_doors(self) -> Iterable[tuple[str, Position]]:
        """Those of its requests."""
        return doors_of(self.requests)
