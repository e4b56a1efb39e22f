"""Stories for a day: discharges, dialysis by standing order, days at the clinic; drawn from a seed.

They play where the day plays: homes are doors of its rides, and vendors are the day's own. Where none of
these delivers equipment, suppliers come with the stories.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from collections.abc import Sequence
from statistics import median
from typing import Any, NamedTuple

from msgspec.structs import replace

from contracts.codes import LevelOfService
from contracts.episode_views import EpisodeSubmission
from contracts.episodes import After, Bundle, EpisodeDraft, SequenceKind
from contracts.geo import Place, Position, Window
from contracts.instants import MINUTE_MS
from contracts.patients import Patient
from contracts.pools import Pool, Pools
from contracts.requests import EquipmentOrder, OrderLine, Request, TripRequest
from contracts.standing_orders import StandingOrder, made_id
from contracts.will_call import WillCall
from simulation.day import EVENING_LENGTH_MINUTES, EVENING_MINUTE, Day, at, instant
from simulation.episodes import Again, Episode, Plot
from simulation.fleet import suppliers
from simulation.licences import valid_credentials
from simulation.patients import nobody

EPISODES = 40  # of the made-up day
TURNS = (
    Plot.DISCHARGE,
    Plot.DIALYSIS,
    Plot.CLINIC,
    Plot.DISCHARGE,
    Plot.DIALYSIS,
    Plot.CLINIC,
    Plot.DISCHARGE,
)
TUNING = {"standing_lead_days": 1}  # the day's own rides are made, not a fortnight's that nobody will see
NEAR_DEG = 0.08  # a home this far from the middle of the day's doors is served by most
OXYGEN, BED, TANK = ("E1390", 40), ("E0260", 35), ("E0431", 20)
SEATS = {LevelOfService.WHEELCHAIR: 6, LevelOfService.AMBULATORY: 4}
LYING = {LevelOfService.STRETCHER: 3, **SEATS}
CHAIRS = (6 * 60 + 30, 11 * 60, 15 * 60)  # minutes of the day at which dialysis begins
DIALYSED_MINUTES, CALLED_WITHIN_MINUTES, CALLED_UNTIL = 230, 60, 23 * 60
RULES = {0: "MO,WE,FR", 1: "TU,TH,SA", 6: "TU,TH,SU"}  # by the weekday of the day that is played
NOTICE_MINUTES = 10  # a lag of nothing leaves nobody the time to hear that what goes before is late
EVERY_TWICE = 4  # every so many-th episode is asked for a second time
AGAIN = "-again"


class Stage(NamedTuple):
    """Where and with whom the stories play."""

    day: Day
    homes: Sequence[Position]
    hospital: Position
    levels: frozenset[LevelOfService]

    def at(self, minute: float) -> int:
        """When the clock of the day shows so many minutes."""
        return at(self.day.tz, minute, self.day.date)

    def window(self, from_ms: int, minutes: int) -> Window:
        """So long from then on."""
        until_ms = from_ms + minutes * MINUTE_MS
        return Window(earliest=instant(from_ms, self.day.tz), latest=instant(until_ms, self.day.tz))

    def level(self, shares: dict[LevelOfService, int], rng: random.Random) -> LevelOfService:
        """One of those that somebody here serves."""
        known = {level: share for level, share in shares.items() if level in self.levels}
        return rng.choices(list(known), weights=list(known.values()))[0]


def with_episodes(day: Day, number: int, seed: int) -> Day:
    """The day with so many episodes beside its single requests; the same seed gives the same ones."""
    if not number:
        return day
    day = _with_suppliers(day)
    stage, rng = _stage(day), random.Random(f"{seed}/episodes")
    episodes = tuple(_episode(place, stage, rng) for place in range(1, number + 1))
    return dataclasses.replace(day, episodes=episodes, tuning={**day.tuning, **TUNING})


def _stage(day: Day) -> Stage:
    doors = [each.doors[-1] or each.doors[0] for each in day.requests]
    middle = (median(each[0] for each in doors), median(each[1] for each in doors))
    homes = [each for each in doors if all(abs(a - b) <= NEAR_DEG for a, b in zip(each, middle, strict=True))]
    levels = frozenset(level for vendor in day.vendors for level in vendor.levels_of_service)
    return Stage(day, homes, middle, levels)


def _with_suppliers(day: Day) -> Day:
    """With vendors that deliver what is needed, where the day has none: round the clock, at its middle."""
    if any(vendor.hcpcs for vendor in day.vendors):
        return day
    papers = valid_credentials(date=day.date)
    found = suppliers(_stage(day).hospital)
    pools = {
        (vendor.id, day.date): Pools(
            pools=tuple(
                Pool(id=f"pool-{number}", serves=serves, units=(units,))
                for number, (serves, units) in enumerate(strength.items(), 1)
            )
        )
        for vendor, strength in found
    }
    vendors = tuple(replace(vendor, credentials=papers) for vendor, _ in found)
    return dataclasses.replace(day, vendors=(*day.vendors, *vendors), capacity={**day.capacity, **pools})


def _episode(place: int, stage: Stage, rng: random.Random) -> Episode:
    plot = TURNS[(place - 1) % len(TURNS)]
    name = f"{plot.value}-{place:03d}"
    told = _PLOTS[plot](name, place, stage, rng)
    return told if place % EVERY_TWICE else dataclasses.replace(told, again=_again(told, rng))


def _discharge(name: str, place: int, stage: Stage, rng: random.Random) -> Episode:
    """Oxygen and bed are set up before the ride may come; a tank that travels along is there before."""
    patient, home = nobody(name, rng), Place(position=rng.choice(stage.homes))
    ready_ms = stage.at(11 * 60 + 5 * rng.randrange(12 * 7))
    before = stage.window(ready_ms - 90 * MINUTE_MS, 150)
    oxygen, bed = (
        _delivery(f"{name}-{what}", device, home, before, patient)
        for what, device in (("oxygen", OXYGEN), ("bed", BED))
    )
    parts: list[Request] = [oxygen, bed]
    after = [After(request=each.id, least_lag_minutes=NOTICE_MINUTES) for each in (oxygen, bed)]
    if place % 3 == 0:
        here, then = Place(position=stage.hospital), stage.window(ready_ms - 60 * MINUTE_MS, 120)
        parts.append(_delivery(f"{name}-tank", TANK, here, then, patient))
        along = SequenceKind.START_TO_START
        after.append(After(request=parts[-1].id, kind=along, least_lag_minutes=NOTICE_MINUTES))
    ride = TripRequest(
        id=f"{name}-home",
        patient=patient,
        pickup=Place(position=stage.hospital),
        dropoff=home,
        level_of_service=stage.level(LYING, rng),
        pickup_window=stage.window(ready_ms - 60 * MINUTE_MS, 240),
        after=tuple(after),
    )
    decide_by = instant(ready_ms - 90 * MINUTE_MS, stage.day.tz)
    together = EpisodeDraft(bundle=Bundle.ALL_OR_NONE, decide_by=decide_by) if place % 2 else EpisodeDraft()
    whole = EpisodeSubmission(id=name, requests=(*parts, ride), episode=together)
    at_ms = ready_ms - rng.randint(240, 360) * MINUTE_MS
    return Episode(name, Plot.DISCHARGE, at_ms, whole.requests, whole=whole)


def _delivery(
    name: str, device: tuple[str, int], where: Place, window: Window, patient: Patient
) -> EquipmentOrder:
    code, setup_minutes = device
    lines = (OrderLine(hcpcs=code, setup_minutes=setup_minutes),)
    return EquipmentOrder(id=name, patient=patient, place=where, window=window, lines=lines)


def _dialysis(name: str, place: int, stage: Stage, rng: random.Random) -> Episode:
    """There by the time its chair is free; back when somebody calls, which nobody knows before."""
    date = stage.day.date
    chair_ms = stage.at(CHAIRS[place % len(CHAIRS)])
    there = TripRequest(
        id=name,
        patient=nobody(name, rng),
        pickup=Place(position=rng.choice(stage.homes)),
        dropoff=Place(position=rng.choice(stage.homes)),
        level_of_service=stage.level(SEATS, rng),
        appointment_at=instant(chair_ms, stage.day.tz),
    )
    until = instant(stage.at(CALLED_UNTIL), stage.day.tz)
    back = _back(there, will_call=WillCall(day=date, until=until))
    order = StandingOrder(request=there, return_ride=back, rule=_rule(date))
    call_ms = chair_ms + (DIALYSED_MINUTES + rng.randrange(40)) * MINUTE_MS
    made = replace(there, id=made_id(name, date))
    called = replace(
        back,
        id=made_id(name, date, back=True),
        return_of=made.id,
        will_call=None,
        pickup_window=stage.window(call_ms, CALLED_WITHIN_MINUTES),
    )
    return Episode(name, Plot.DIALYSIS, _evening(stage, rng), (made, called), order=order, call_ms=call_ms)


def _rule(date: dt.date) -> str:
    weekday = date.weekday()
    days = RULES[weekday] if weekday == 6 else RULES[weekday % 2]
    return f"FREQ=WEEKLY;BYDAY={days};COUNT=12"


def _clinic(name: str, place: int, stage: Stage, rng: random.Random) -> Episode:
    """There by the appointment; back an hour and a half later, within an hour."""
    seen_ms = stage.at(9 * 60 + 15 * rng.randrange(4 * 6))
    there = TripRequest(
        id=f"{name}-there",
        patient=nobody(name, rng),
        pickup=Place(position=rng.choice(stage.homes)),
        dropoff=Place(position=rng.choice(stage.homes)),
        level_of_service=stage.level(SEATS, rng),
        appointment_at=instant(seen_ms, stage.day.tz),
    )
    then = stage.window(seen_ms + 90 * MINUTE_MS, 60)
    back = _back(there, id=f"{name}-back", return_of=there.id, pickup_window=then)
    whole = EpisodeSubmission(id=name, requests=(there, back))
    return Episode(name, Plot.CLINIC, _evening(stage, rng), whole.requests, whole=whole)


def _back(there: TripRequest, **when: Any) -> TripRequest:
    """The way back, at another time."""
    return there.with_doors(there.dropoff.position, there.pickup.position, appointment_at=None, **when)


def _evening(stage: Stage, rng: random.Random) -> int:
    return stage.at(EVENING_MINUTE + rng.randrange(EVENING_LENGTH_MINUTES))


def _again(told: Episode, rng: random.Random) -> Again:
    """All of it but the will-call, under other ids, without a word of what belongs together."""
    asked = told.as_called[:1] if told.order is not None else told.as_called
    requests = tuple(
        replace(
            each,
            id=f"{each.id}{AGAIN}",
            after=(),
            episode=None,
            **({"return_of": None} if each.is_trip else {}),
        )
        for each in asked
    )
    return Again(told.at_ms + rng.randint(15, 60) * MINUTE_MS, requests)


_PLOTS = {Plot.DISCHARGE: _discharge, Plot.DIALYSIS: _dialysis, Plot.CLINIC: _clinic}
