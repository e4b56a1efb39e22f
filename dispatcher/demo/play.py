"""Play a day: start the service, register the vendors, let everybody act, read the result back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Mapping
from functools import partial
from pathlib import Path

import msgspec
from rich.console import Console

from contracts.codes import Role
from contracts.request_views import RequestView
from contracts.tasks import TaskKind
from dispatcher.demo.board import Board
from dispatcher.demo.judge import judge
from dispatcher.demo.measures import environment_mb, resident_mb
from dispatcher.demo.possible import possible
from dispatcher.demo.service import Service, running, until_matched
from dispatcher.demo.story import Story, ownerless, told
from dispatcher.demo.summary import Summary, summarise
from dispatcher.demo.takers import answers_by, webhooks
from dispatcher.domain.refusals import Unavailable
from dispatcher.domain.states import TERMINAL
from dispatcher.runtime.addresses import Networks
from dispatcher.runtime.clock import Clock, begin, make_clock, slow_down
from dispatcher.runtime.errors import UserError
from dispatcher.security.key_files import read_patient_keys, read_token_keys
from dispatcher.security.reply_keys import ReplyKeys
from dispatcher.security.tokens import claims, mint
from dispatcher.security.vault import Vault
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.settings import Markets, Settings
from dispatcher.store.footprint import OpenRequestBytes, open_request_bytes
from dispatcher.store.keys import Keys
from dispatcher.store.servers import servers_of
from simulation.cast import Cast, ReplyKeyOf, TokenOf
from simulation.day import Day, Reach, at

LEAD_S = 1.0  # real seconds from when all is up to the day's start: by then the vendors listen
QUIET_MINUTE = 5 * 60  # 05:00: the evening's work is matched, the day's has not begun
LOOK_EVERY_S = 0.2
TOKEN_HOURS = 14 * 24
STORE_WITHIN_S = 5.0
SETTLED_WITHIN_S = 10.0  # real, for webhooks that are tried again
OWN_NETWORK = "127.0.0.0/8"  # where the simulated vendors' server is


class Options(msgspec.Struct, frozen=True, kw_only=True):
    """How to play. `speed` is clock seconds a real second; with `keep`, in real time once the day is over."""

    speed: float
    seed: int
    data_dir: Path
    keep: bool = False
    redis_url: str = ""  #: a store that is there; "": an embedded one


class Played(msgspec.Struct, kw_only=True):
    """A day that was played, and the service that still runs."""

    summary: Summary
    views: dict[str, RequestView]
    service: Service
    board: Board


def settings_of(day: Day, options: Options) -> Settings:
    """The service's: on any free port, by a clock that runs as fast as the day is played, once it begins."""
    return Settings(
        redis_url=options.redis_url,
        data_dir=options.data_dir,
        port=0,
        markets=Markets({day.market: day.tz}),
        clock_start_ms=day.start_ms,
        clock_speed=options.speed,
        clock_file=options.data_dir / "clock",
        webhook_networks=Networks(OWN_NETWORK if Reach.WEBHOOK in day.reached else ""),
    )


@contextlib.asynccontextmanager
async def played(day: Day, options: Options, console: Console) -> AsyncIterator[Played]:
    """Play the whole day; the service runs until the block ends."""
    started_s = time.monotonic()
    settings = settings_of(day, options)
    clock = make_clock(*settings.clock)
    redis_url = options.redis_url or EmbeddedRedis(options.data_dir).url
    if options.redis_url:
        await _refuse_used(redis_url, day.market)
    async with running(settings, options.data_dir / "service.log") as service:
        ways = tokens(settings, day, clock), reply_keys(settings, day)
        async with Cast(service.url, redis_url, *ways, day, clock=clock, seed=options.seed) as cast:
            cast.tally.started_s = started_s
            board = Board(console, day, clock, cast.tally)
            memory = await _act(cast, service, board)
            told = await webhooks(cast.ops, SETTLED_WITHIN_S)
            if options.keep and settings.clock_file is not None:
                await asyncio.sleep(slow_down(settings.clock_file))
            views = await _views(cast)
            story = await _story(cast, views)
            unproved = [each async for each in cast.ops.tasks() if each.kind is TaskKind.PROOF_MISSING]
            verdict = await judge(redis_url, day.market, cast.tally.safe, settings)
        wall_s = round(time.monotonic() - started_s, 1)
        summary = summarise(
            cast.tally,
            views.values(),
            day=day.name,
            seed=options.seed,
            speed=options.speed,
            verdict=verdict,
            story=story,
            bound=possible(day),
            answers={each.id: answers_by(each) for each in day.vendors},
            environment_mb=environment_mb(),
            proofs_missing=len(unproved),
            wall_s=wall_s,
            **memory,
            **told,
        )
        yield Played(summary=summary, views=views, service=service, board=board)


async def _refuse_used(redis_url: str, market: str) -> None:
    """Raises UserError where something of the market is stored already, or nobody answers."""
    servers, keys = servers_of(redis_url, timeout_s=STORE_WITHIN_S), Keys(market)
    try:
        there = await servers.reader.ask("EXISTS", keys.events, keys.vendors, keys.tuning)
    except Unavailable as error:
        raise UserError(error.detail.partition("\n")[0], "Maybe it is not running, or another.") from error
    finally:
        await servers.aclose()
    if there:
        raise UserError(
            f"the store has something of the market {market} already.",
            "A day starts with nothing: name a store without it.",
        )


def tokens(settings: Settings, day: Day, clock: Clock) -> TokenOf:
    """Tokens for everybody who plays, valid from the day's start or from now."""
    keys = read_token_keys(settings.token_keys_file)

    def token_of(role: Role, vendor_id: str) -> str:
        now_ms = min(clock.now_ms(), day.start_ms)
        made = claims(role, markets=[day.market], vendor_id=vendor_id, now_ms=now_ms, hours=TOKEN_HOURS)
        return mint(keys, made)

    return token_of


def reply_keys(settings: Settings, day: Day) -> ReplyKeyOf:
    """What vendors on Redis sign their replies with."""
    keys = ReplyKeys(Vault(read_patient_keys(settings.patient_keys_file)))
    return partial(keys.current, day.market)


async def _act(cast: Cast, service: Service, board: Board) -> dict[str, float | None]:
    """Everybody acts until the day is over; returns what memory was seen."""
    await cast.register()
    await until_matched(service, cast.day.market)
    idle_mb = resident_mb(service.process.pid, "web")
    cost: list[OpenRequestBytes] = []

    async def look() -> None:
        """What Redis holds for a request that is open at a quiet hour."""
        states = cast.tally.states
        open_ids = [each for each, state in states.items() if state not in TERMINAL]
        number = max(len(cast.tally.acknowledged), 1)
        if found := await open_request_bytes(cast.matches.redis, cast.day.market, open_ids, number):
            cost.append(found)

    cast.agenda.at(at(cast.day.tz, QUIET_MINUTE, cast.day.date), look)
    if service.settings.clock_file is not None:
        begin(service.settings.clock_file, LEAD_S)
    await _until(_over(cast, board.clock), cast.act(), board.run())
    return {
        "web_rss_idle_mb": idle_mb,
        "web_rss_mb": resident_mb(service.process.pid, "web"),
        "redis_bytes_per_open_request": sum(cost[0]) if cost else None,
        "redis_message_bytes_per_open_request": cost[0].messages if cost else None,
    }


async def _views(cast: Cast) -> dict[str, RequestView]:
    """All requests of the day, at the end; not what a standing order has made for another one."""
    return {view.id: view async for view in cast.client.views() if view.id in cast.tally.safe}


async def _story(cast: Cast, views: Mapping[str, RequestView]) -> Story:
    """What became of the episodes. Nobody's is what is so at two looks: a market at work changes."""
    tasks = [task async for task in cast.desk.tasks()]
    story = told(cast.day.episodes, views, tasks, cast.tally)
    if not story.ownerless:
        return story
    again, later = (await _views(cast)).values(), [task async for task in cast.desk.tasks()]
    lasting = ownerless(views.values(), tasks) & ownerless(again, later)
    return msgspec.structs.replace(story, ownerless=len(lasting))


async def _until(end: Awaitable[None], *going_on: Awaitable[None]) -> None:
    """Let things go on until `end`; what fails meanwhile is raised."""
    ending = asyncio.ensure_future(end)
    others = [asyncio.ensure_future(each) for each in going_on]
    try:
        done, _ = await asyncio.wait([ending, *others], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (ending, *others):
            task.cancel()
        await asyncio.gather(ending, *others, return_exceptions=True)


async def _over(cast: Cast, clock: Clock) -> None:
    """Until every request has ended, or the day has."""
    tally = cast.tally
    while clock.now_ms() < cast.day.end_ms:
        await asyncio.sleep(LOOK_EVERY_S)
        if len(tally.acknowledged) + len(tally.refused) == tally.planned and all(
            tally.states[each] in TERMINAL for each in tally.acknowledged
        ):
            return
