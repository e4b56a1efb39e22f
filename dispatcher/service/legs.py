"""Legs that new requests are the way back of: as they are stored, and when they end at the latest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from contracts.instants import MINUTE_MS
from contracts.requests import Request
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.legs import linked, planned_end_ms
from dispatcher.domain.requests import RequestRecord
from dispatcher.store.market import MarketStore
from solvers.rides import by_hour
from solvers.travel import TravelTimes


class Legs(NamedTuple):
    """Legs that are stored, by id: their records, and those of the returns that they have; their bodies."""

    records: Mapping[str, RequestRecord] = {}
    bodies: Mapping[str, Request] = {}


async def legs_there(stored: MarketStore, requests: Sequence[Request]) -> Legs:
    """What these are the way back of, as far as it is stored."""
    names = sorted(
        {each.way_back_of for each in requests if each.way_back_of} - {each.id for each in requests}
    )
    if not names:
        return Legs()
    there = await stored.requests.records.get_all(names)
    returns = await stored.requests.records.get_all(
        [each.return_leg for each in there.values() if each.return_leg]
    )
    return Legs({**returns, **there}, await stored.requests.bodies(names))


def with_legs(
    decisions: Sequence[Decision],
    requests: Sequence[Request],
    legs: Legs,
    context: Context,
    travel: TravelTimes,
) -> list[Decision]:
    """The receipt of these, each leg there with the name of its way back. Raises Invalid."""
    if not any(each.way_back_of for each in requests):
        return list(decisions)
    bodies = {**legs.bodies, **{each.id: each for each in requests}}
    records = {**legs.records, **{each.after.id: each.after for each in decisions}}
    wanted = {each.way_back_of for each in requests if each.way_back_of}
    ends = {name: _ends_ms(records[name], bodies.get(name), travel) for name in wanted if name in records}
    return linked(decisions, legs.records, ends, context)


def _ends_ms(record: RequestRecord, request: Request | None, travel: TravelTimes) -> int:
    """As it was agreed or offered; else after its latest start, the doors and its shortest ride."""
    if (agreed_ms := planned_end_ms(record)) or request is None or record.waits_for_call:
        return agreed_ms
    pickup, dropoff = request.doors
    ride_s = min(by_hour(travel, pickup, dropoff)) if dropoff is not None else 0.0
    return record.latest_ms + request.onsite_minutes * MINUTE_MS + int(ride_s * 1000)
