"""Pages over several sorted sets, stable while requests move between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from heapq import merge
from itertools import islice
from typing import NamedTuple

from dispatcher.domain.refusals import Invalid
from dispatcher.store.connection import Reader

BEFORE, END = -1, 10**16  # what is no time of ours stands there: first, or last
_OURS = re.compile(r"[A-Za-z0-9_-]{1,64}(\.[A-Za-z0-9_.-]{1,45})?")


class Place(NamedTuple):
    """Where a request stands in a listing: its score (ms), then its id."""

    score: int
    id: str

    @classmethod
    def read(cls, answer: Sequence[bytes]) -> Iterator[Place]:
        """From a ZRANGE … WITHSCORES: member, score, member, score … Whatever was written there is read."""
        pairs = zip(answer[::2], answer[1::2], strict=True)
        return (cls(_time(float(score)), member.decode(errors="replace")) for member, score in pairs)

    @property
    def is_ours(self) -> bool:
        """Whether the service may have written it: then a page can end there."""
        return BEFORE < self.score < END and bool(_OURS.fullmatch(self.id))


def _time(score: float) -> int:
    return int(score) if BEFORE < score < END else END if score > 0 else BEFORE


class Cursor(Place):
    """The last place of a page, as text."""

    @classmethod
    def parse(cls, text: str | None) -> Cursor:
        """The start of the listing if there is no text. Raises Invalid."""
        if not text:
            return cls(0, "")
        score, dot, request_id = text.partition(".")
        if not (dot and score.isdigit() and request_id):
            raise Invalid(f"'{text}' is no cursor.\nMaybe pass the cursor of the page before, unchanged.")
        return cls(int(score), request_id)

    def __str__(self) -> str:
        return f"{self.score}.{self.id}"


async def page_of(
    reader: Reader, keys: Sequence[str], after: Place, limit: int, until: str | int = "+inf"
) -> list[Place]:
    """The first `limit` places after the cursor, over all the sets together; up to the score `until`.

    Requests of one batch share their score, so a set is read until enough lie behind the cursor.
    """
    found: dict[str, list[Place]] = {key: [] for key in keys}
    going, offset = list(keys), 0
    while going:
        span = ("BYSCORE", "LIMIT", offset, limit, "WITHSCORES")
        answers = await reader.ask_all([("ZRANGE", key, after.score, until, *span) for key in going])
        for key, answer in zip(going, answers, strict=True):
            found[key] += [place for place in Place.read(answer) if place > after and place.is_ours]
        full = [key for key, answer in zip(going, answers, strict=True) if len(answer) == 2 * limit]
        going = [key for key in full if len(found[key]) < limit]
        offset += limit
    return list(islice(merge(*found.values()), limit))


async def newest(reader: Reader, key: str, before: Place, limit: int) -> list[Place]:
    """The last `limit` places of one set before a place, the last first; none where it is no sorted set."""
    found: list[Place] = []
    offset = 0
    while len(found) < limit:
        words = ("ZRANGE", key, min(before.score, END), "-inf", "BYSCORE", "REV", "LIMIT", offset, limit)
        (answer,) = await reader.ask_each([(*words, "WITHSCORES")])
        if isinstance(answer, Exception):
            return []
        places = list(Place.read(answer))
        found += [each for each in places if each < before and each.is_ours]
        if len(places) < limit:
            break
        offset += limit
    return found[:limit]
