"""A day that a platform, vendors and those who care play over the public interfaces, while parts are struck.

What was answered 202 ends once, and nothing is booked twice, whatever is struck, and how.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from chaos.care import OWN, Care, in_care
from chaos.hooks import NETWORK, Hooked
from chaos.parts import Parts, fence, owned
from chaos.trial import Trial
from contracts.codes import RequestState
from contracts.instants import MINUTE_MS
from contracts.vendors import ExplicitAnswer
from dispatcher.audit.auditor import audit
from dispatcher.demo.play import reply_keys, tokens
from dispatcher.domain.states import TERMINAL
from dispatcher.runtime.addresses import Networks
from dispatcher.runtime.clock import make_clock
from dispatcher.settings import Markets, Settings
from dispatcher.store.connection import Reader, connect
from simulation import small
from simulation.cast import Cast
from simulation.day import Day, Submission, wanted_ms
from simulation.links import HttpLink

AHEAD_MINUTES = 300  # requests come, and vendors may answer, so long before
OUTAGES_AHEAD = 6  # which is at least so many outages, however long one lasts on this machine
FASTEST = 1_200.0
A_DAY = 16  # rounds that fit into one day's work
EACH_ROUND = 8  # requests
PATIENT = ExplicitAnswer(time_limit_s=60 * AHEAD_MINUTES)
END_S = 600.0
Victims = Sequence[str]
Opened = Callable[[Settings], AbstractAsyncContextManager[Parts]]
Strike = Callable[[Trial, Parts, Cast, Victims], Awaitable[None]]


class Blows(NamedTuple):
    """Whom they meet, one set of victims after the other; what runs; how a blow goes, how long it lasts."""

    turns: Sequence[Victims]
    opened: Opened
    strike: Strike
    lasts_s: float = 0.0  # real, where that is longer than a matcher takes to start


async def strike_in_turn(trial: Trial, blows: Blows) -> None:
    """One set of victims after the other, as many rounds as were asked for, in days of so many."""
    turns = blows.turns
    while (left := trial.rounds - (first := trial.report.rounds)) > 0:
        folder = trial.folder / f"day{first}"
        folder.mkdir()
        of_day = [turns[number % len(turns)] for number in range(first, first + min(left, A_DAY))]
        await _day(trial, blows._replace(turns=of_day), folder)


async def _day(trial: Trial, blows: Blows, folder: Path) -> None:
    rounds = len(blows.turns)
    settings = Settings(
        data_dir=folder,
        port=0,
        markets=Markets({small.MARKET: small.TZ}),
        webhook_networks=Networks(NETWORK),
    )
    async with blows.opened(settings) as parts:
        outage_s = max(await _outage_s(parts), blows.lasts_s)
        speed = min(FASTEST, 60 * AHEAD_MINUTES / (OUTAGES_AHEAD * outage_s))
        span_ms = int(rounds * (outage_s + 0.4) * 1000 * speed)
        day = long_day(trial.seed + trial.report.rounds, rounds, span_ms)
        parts.settings = replace(
            parts.settings, clock_start_ms=day.start_ms, clock_anchor_s=time.time() + 2, clock_speed=speed
        )
        await parts.start(*parts.commands)
        async with _cast(parts, day) as cast:
            await cast.register()
            async with Hooked(cast, trial.seed) as hooked, Care(parts, cast, trial.seed) as care:
                in_flight = await _acted(trial, parts, cast, care, blows)
                slower = trial.report.longest_recovery_s > OUTAGES_AHEAD / 2 * outage_s
                await _judged(trial, care, in_flight, may_lapse=slower)
                for each in await hooked.amiss(cast.tally.acknowledged):
                    trial.find(f"{day.market}: {each}")


async def _acted(trial: Trial, parts: Parts, cast: Cast, care: Care, blows: Blows) -> list[int]:
    """The day is played, with what is done beside it, until all of it has ended."""
    acting, caring = asyncio.create_task(cast.act()), asyncio.create_task(care.go())
    try:
        in_flight = await _rounds(trial, parts, cast, acting, blows)
        if caring.done():
            caring.result()
        caring.cancel()
        await _until_all_ended(cast, acting)
    finally:
        caring.cancel()
        acting.cancel()
        await asyncio.gather(acting, caring, return_exceptions=True)
    return in_flight


def long_day(seed: int, rounds: int, span_ms: int) -> Day:
    """Requests of the made-up day, moved so that they come all through `span_ms`; patient vendors."""
    made = small.generate(seed)
    requests = sorted(made.requests, key=wanted_ms)[: EACH_ROUND * rounds]
    ahead_ms = AHEAD_MINUTES * MINUTE_MS
    start_ms = min(map(wanted_ms, requests)) - ahead_ms - 40 * MINUTE_MS
    step_ms = span_ms // len(requests)
    submissions = tuple(
        Submission(min(start_ms + number * step_ms, wanted_ms(each) - ahead_ms), (each,))
        for number, each in enumerate(requests)
    )
    day = Day(
        name="killed",
        market=made.market,
        tz=made.tz,
        vendors=tuple(replace(each, answer=PATIENT) for each in made.vendors),
        capacity=made.capacity,
        submissions=tuple(sorted(submissions, key=lambda each: each.at_ms)),
        cancel_share=0.05,
    )
    return in_care(day)


@contextlib.asynccontextmanager
async def _cast(parts: Parts, day: Day) -> AsyncIterator[Cast]:
    settings = parts.settings
    clock = make_clock(settings.clock_start_ms, settings.clock_anchor_s, settings.clock_speed)
    secrets = tokens(settings, day, clock), reply_keys(settings, day)
    async with Cast(parts.url, parts.redis_url, *secrets, day, clock=clock, seed=7) as cast:
        links = [each.link.client for each in cast.vendors if isinstance(each.link, HttpLink)]
        for each in (cast.client, cast.ops, *links):
            each.total_timeout_s = END_S  # a machine with much to do takes long to start a process
        yield cast


async def _outage_s(parts: Parts) -> float:
    """How long it takes on this machine until a matcher that is started matches."""
    began_s, before = time.monotonic(), await fence(parts.redis_url)
    await parts.start("matcher")
    await owned(parts, before)
    await parts.kill("matcher")
    return time.monotonic() - began_s


async def _rounds(
    trial: Trial, parts: Parts, cast: Cast, acting: asyncio.Task[None], blows: Blows
) -> list[int]:
    """Blow after blow; how many requests were in nobody's hands or a vendor's when each was over.

    Not when it fell: some wait first until their victim has something in hand.
    """
    rng, in_flight = random.Random(trial.seed), []
    for victims in blows.turns:
        await asyncio.sleep(rng.uniform(0.2, 0.6))
        await blows.strike(trial, parts, cast, victims)
        in_flight.append(sum(state not in TERMINAL for state in cast.tally.states.values()))
        parts.refuse_ended()
        if acting.done():
            acting.result()
        trial.over()
    return in_flight


async def _until_all_ended(cast: Cast, acting: asyncio.Task[None]) -> None:
    """Every request has its end, within the day."""
    deadline_s = time.monotonic() + END_S
    while time.monotonic() < deadline_s:
        if acting.done():
            acting.result()
        ended = [state for state in _of_day(cast).values() if state in TERMINAL]
        if len(ended) + len(cast.tally.refused) == cast.tally.planned:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"not all ended: {cast.tally.by_state()}")


def _of_day(cast: Cast) -> dict[str, RequestState]:
    """What became of the day's requests, without those of care's own."""
    ids = {each.id for each in cast.day.requests}
    return {name: state for name, state in cast.tally.states.items() if name in ids}


async def _judged(trial: Trial, care: Care, in_flight: list[int], *, may_lapse: bool) -> None:
    """By the audit, and by what a platform sees.

    `may_lapse`: the machine became so slow that windows went by while nobody was there to match.
    """
    cast, tally, day = care.cast, care.cast.tally, care.day
    client = connect(care.parts.redis_url)
    try:
        acknowledged = [*tally.acknowledged, *care.acknowledged]
        found = await audit(Reader(client), day.market, acknowledged, streams=True, settle_s=0.5)
    finally:
        await client.aclose()
    trial.judged(found, acknowledged)
    await care.proving.at_least_once()
    for each in await care.lost():
        trial.find(f"{day.market}: lost: {each}")
    views = {view.id: view async for view in cast.client.views() if not view.id.startswith(OWN)}
    completed = sum(view.state is RequestState.COMPLETED for view in views.values())
    for is_wrong, finding in (
        (set(tally.acknowledged) != set(views), "what is listed is not what was acknowledged"),
        (views.keys() | tally.refused.keys() != {each.id for each in day.requests}, "not all was asked for"),
        (not {view.state for view in views.values()} <= TERMINAL, "some have no end"),
        (
            completed <= len(views) / 2 and not may_lapse,
            f"only {completed} of {len(views)} were completed",
        ),  # 19 in 20, idle
        (care.done <= len(in_flight), f"{care.done} deeds of care: this tried little"),
        (sum(in_flight) <= 2 * len(in_flight), "the blows met no work on its way: this tried nothing"),
    ):
        if is_wrong:
            trial.find(f"{day.market}: {finding}; {tally.by_state()}")
