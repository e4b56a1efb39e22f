"""An episode is one patient's, whichever way its requests come to it: with it, naming it, or put to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence

from contracts.requests import Patient, Request
from dispatcher.domain.refusals import Invalid, Unreadable
from dispatcher.security.blind_index import identity
from dispatcher.store.store import Store

Told = tuple[str, Patient | None]  # a request's id, and whose it is


class OnePatient:
    """Opens patient blocks to compare them; what cannot be read says nothing of whose it is."""

    def __init__(self, store: Store) -> None:
        self.store = store

    async def refuse_several(
        self, market: str, name: str, new: Sequence[Request], came: Iterable[str], there: Iterable[str]
    ) -> None:
        """Raises Invalid where a request that comes to an episode is another patient's than one that it has.

        `new`: those that are submitted, `came`: that are stored and put to it, `there`: that it had. What it
        has is compared with what comes, not with itself: an episode that had two patients before keeps them.
        """
        coming = [(each.id, each.patient) for each in new]
        coming += await self._told(market, came)
        if coming:
            refuse_several(name, coming, await self._told(market, there))

    async def _told(self, market: str, ids: Iterable[str]) -> list[Told]:
        return await asyncio.gather(*(self._patient(market, each) for each in ids))

    async def _patient(self, market: str, request_id: str) -> Told:
        with contextlib.suppress(Unreadable):
            return request_id, await self.store.market(market).requests.patient(request_id)
        return request_id, None


def refuse_several(name: str, coming: Iterable[Told], had: Iterable[Told] = ()) -> None:
    """Raises Invalid where two requests say that they are different people's; neither is repeated.

    By a record number one may be another than by name and phone alone, and the same for all that.
    """
    found = dict[str, tuple[str, str]]()
    for request_id, patient in had:
        told = identity(patient)
        found.setdefault(told.partition("\0")[0], (request_id, told))
    for request_id, patient in coming:
        told = identity(patient)
        other, first = found.setdefault(told.partition("\0")[0], (request_id, told))
        if told != first:
            raise Invalid(
                f"episode {name} is one patient's: requests {other} and {request_id} are different ones'\n"
                "Maybe a record number or a name is mistyped; else make two episodes of it.",
                request_ids=[other, request_id],
            )
