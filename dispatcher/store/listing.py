"""Pages over several sorted sets, stable while requests move between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import NamedTuple

from dispatcher.store.connection import Reader


class Place(NamedTuple):
    """Where a request stands in a listing: its score (ms), then its id."""

    score: int
    id: str

    @classmethod
    def read(cls, answer: Sequence[bytes]) -> Iterator[Place]:
        """From a ZRANGE … WITHSCORES: member, score, member, score …"""
        pairs = zip(answer[::2], answer[1::2], strict=True)
        return (cls(int(float(score)), member.decode()) for member, score in pairs)


class Cursor(Place):
    """The last place of a page, as text."""

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        """The start of the listing if there is no text. Raises ValueError."""
        if not text:
            return cls(0, "")
        score, dot, request_id = text.partition(".")
        if not (dot and score.isdigit() and request_id):
            raise ValueError(f"'{text}' is no cursor.\nMaybe pass the cursor of the page before, unchanged.")
        return cls(int(score), request_id)

    def __str__(self) -> str:
        return f"{self.score}.{self.id}"


async def page_of(reader: Reader, keys: Sequence[str], after: Cursor, limit: int) -> list[Place]:
    """The first `limit` places after the cursor, over all the sets together."""
    found = [await _places_after(reader, key, after, limit) for key in keys]
    return list(islice(merge(*found), limit))


async def _places_after(reader: Reader, key: str, after: Cursor, limit: int) -> list[Place]:
    """Requests of one batch share their score, so the set is read until enough lie behind the cursor."""
    places: list[Place] = []
    offset = 0
    while len(places) < limit:
        answer = await reader.ask(
            "ZRANGE", key, after.score, "+inf", "BYSCORE", "LIMIT", offset, limit, "WITHSCORES"
        )
        places += [place for place in Place.read(answer) if place > after]
        offset += limit
        if len(answer) < 2 * limit:
            break
    return places[:limit]
