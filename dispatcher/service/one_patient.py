"""An episode is one patient's, whichever way its requests come to it: with it, naming it, put to it, amended.

So are a ride and its way back: when the one is not made, the other is cancelled.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from contracts.patients import Patient
from contracts.requests import Request
from dispatcher.domain.compact import Record
from dispatcher.domain.decision import Reliance
from dispatcher.domain.refusals import Invalid, Unreadable
from dispatcher.domain.request_kind import REQUEST
from dispatcher.domain.requests import RequestRecord
from dispatcher.security.blind_index import identity
from dispatcher.store.store import Store

Told = tuple[str, Patient | None]  # a request's id, and whose it is, or is to be


class Together(NamedTuple):
    """What an amended patient was compared with: the episode, which is written as it is, so that of two
    that are amended, or come to it, at one moment one sees the other; and the legs, which must stand.
    """

    episode: Record | None = None
    relies: tuple[Reliance, ...] = ()


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

    async def refuse_another_s_way_back(self, market: str, requests: Sequence[Request]) -> None:
        """Raises Invalid where a way back among new requests is another patient's than its leg there."""
        backs = [each for each in requests if each.way_back_of]
        new = {each.id: each.patient for each in requests}
        legs = {each.way_back_of or "" for each in backs} - new.keys()
        told = [*new.items(), *(await self._told(market, sorted(legs)))]
        for each in backs:
            there = [one for one in told if one[0] == each.way_back_of]
            _refuse_legs([*there, (each.id, each.patient)], each.id, each.way_back_of or "")

    async def refuse_amended(
        self, market: str, record: RequestRecord, before: Request, after: Request
    ) -> Together:
        """Raises Invalid where an amendment makes it another patient's than its episode, or its other leg."""
        if identity(before.patient) == identity(after.patient):
            return Together()
        stored, own = self.store.market(market).requests, (record.id, after.patient)
        episode = await stored.episodes.get(record.episode) if record.episode else None
        if episode is not None:
            others = await self._told(market, [each for each in episode.requests if each != record.id])
            refuse_several(episode.id, [own], others)
        legs = await stored.records.get_all([*filter(None, (record.return_of, *record.before))])
        backs = [each for each in legs.values() if each.id == record.return_of or each.return_of == record.id]
        for leg in backs:
            back, there = (record.id, leg.id) if leg.id == record.return_of else (leg.id, record.id)
            _refuse_legs([*(await self._told(market, [leg.id])), own], back, there)
        return Together(episode, tuple(Reliance(REQUEST, each.id, each.version) for each in backs))

    async def _told(self, market: str, ids: Iterable[str]) -> list[Told]:
        """Whose each is; also whose it is to be, once its vendor agrees to that."""
        found = await asyncio.gather(*(self._patient(market, each) for each in ids))
        told = [each for each in found if each[1] is not None]
        records = await self.store.market(market).requests.records.get_all([name for name, _ in found])
        return told + self._proposed(market, records)

    def _proposed(self, market: str, records: Mapping[str, RequestRecord]) -> list[Told]:
        stored, told = self.store.market(market).requests, list[Told]()
        for each in records.values():
            if each.pending is not None and "patient" in each.pending.fields:
                with contextlib.suppress(Unreadable):
                    told.append((each.id, stored.opened_whole(each.id, each.pending.proposed).patient))
        return told

    async def _patient(self, market: str, request_id: str) -> Told:
        with contextlib.suppress(Unreadable):
            return request_id, await self.store.market(market).requests.patient(request_id)
        return request_id, None


def refuse_several(name: str, coming: Iterable[Told], had: Iterable[Told] = ()) -> None:
    """Raises Invalid where two requests say that they are different people's; neither is repeated."""
    several = _two_patients(coming, had)
    if several:
        raise Invalid(
            f"episode {name} is one patient's: requests {several[0]} and {several[1]} are different ones'\n"
            "Maybe a record number or a name is mistyped; else make two episodes of it.",
            request_ids=[*several],
        )


def _refuse_legs(legs: Iterable[Told], back: str, there: str) -> None:
    if _two_patients(legs):
        raise Invalid(
            f"request {back} cannot be the return of {there}: it is another patient's\n"
            "Maybe a record number or a name is mistyped; else name the ride that it is the way back of.",
            request_ids=[back, there],
        )


def _two_patients(coming: Iterable[Told], had: Iterable[Told] = ()) -> tuple[str, str] | None:
    """Two of these requests that say that they are different people's.

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
            return other, request_id
    return None
