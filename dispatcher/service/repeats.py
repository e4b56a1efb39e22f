"""What was submitted before: the same again is no other request, and another under its id is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from msgspec.structs import replace

from contracts.base import unchecked
from contracts.requests import Request
from dispatcher.domain.refusals import Reused
from dispatcher.domain.requests import RequestRecord
from dispatcher.store.aside import Item
from dispatcher.store.requests import BODY
from dispatcher.store.store import Store


class Repeats:
    """Compares what is submitted with what is stored."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def missing(self, market: str, requests: Sequence[Request]) -> list[Request]:
        """The requests that are not stored. Raises Reused for an id that is stored with another body.

        Raises Unreadable for one whose body cannot be compared.
        """
        part = self.store.market(market).requests
        stored = await part.bodies([request.id for request in requests])
        aside = self.store.aside.known(market)
        for request in requests:
            if request.id not in stored and Item(BODY, request.id) in aside:
                await part.body(request.id)
        known = [request for request in requests if request.id in stored]
        records = await part.records.get_all([each.id for each in known])
        same = await asyncio.gather(
            *(self._is_same(market, each, stored[each.id], records.get(each.id)) for each in known)
        )
        reused = [request.id for request, is_same in zip(known, same, strict=True) if not is_same]
        if reused:
            raise Reused(
                f"request {reused[0]} is stored with another body\n"
                "Maybe give the changed request an id of its own, and cancel the first.",
                request_ids=reused,
            )
        return [request for request in requests if request.id not in stored]

    async def _is_same(
        self, market: str, request: Request, stored: Request, record: RequestRecord | None
    ) -> bool:
        """Whether it was submitted so: what has become of it since makes its repetition no other request.

        Nor do its identifiers: they say what it is called elsewhere, not what is asked for.
        """
        part = self.store.market(market).requests
        first = next((each.before for each in record.amendments if each.made), b"") if record else b""
        request = unchecked(request, identifiers=())
        if first:
            return unchecked(part.opened_whole(request.id, first), identifiers=()) == request
        if replace(request, patient=None) != unchecked(stored, identifiers=()):
            return False
        return await part.patient(request.id) == request.patient


def refuse_repeats(ids: tuple[str, ...]) -> None:
    """Raises Reused where one call has two requests of one id."""
    if len(ids) > 1 and len(set(ids)) < len(ids):
        twice = sorted({each for each in ids if ids.count(each) > 1})
        raise Reused(
            f"request {twice[0]} stands in the call more than once\nMaybe number the requests anew.",
            request_ids=twice,
        )
