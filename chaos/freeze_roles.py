"""Web, replies and jobs stand still with work in their hands and wake: another has done it, all of it once.

Two of each run. Frozen (SIGSTOP) is a web process, a consumer of replies with some that it has not finished,
and who has the lease of the jobs or of the webhooks.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import ExitStack
from functools import partial

from chaos.freeze import frozen, pids
from chaos.parts import LIMIT_S, NAME, Parts, roles_apart, until_ready
from chaos.struck_day import Blows, Victims, strike_in_turn
from chaos.trial import Trial
from dispatcher.delivery.replies import IDLE_MS
from dispatcher.settings import Settings
from dispatcher.store.connection import NoGroup, Reader, connect
from dispatcher.store.keys import Keys
from dispatcher.store.streams import GROUP
from simulation.cast import Cast
from simulation.links import StreamLink

WEB, REPLIES, JOBS, WEBHOOKS = "web", "replies", "jobs", "webhooks"
TWICE = (WEB, REPLIES, JOBS)
SECOND = "second"  # the name of each one's double
# what is left lying for `IDLE_MS` is looked for three times in that time
LONG_S = IDLE_MS / 1000 * 4 / 3 + 2.0
Holder = Callable[[], Awaitable[str]]  #: the name of who has it in hand; "": nobody has


async def freeze_roles(trial: Trial) -> None:
    """Web, replies and jobs stand still for long and wake: another has taken up what they had, once."""
    turns = ((REPLIES,), (JOBS,), (WEB,), (WEBHOOKS,))
    await strike_in_turn(trial, Blows(turns, _twice, _frozen, LONG_S))


async def _frozen(trial: Trial, parts: Parts, cast: Cast, victims: Victims) -> None:
    """Whoever has this in hand stands still for long, and until another has taken it up."""
    (what,) = victims
    with ExitStack() as still:
        async with asyncio.timeout(LIMIT_S + LONG_S), _holder(parts, cast, what) as holder:
            name = await _caught(parts, JOBS if what == WEBHOOKS else what, holder, still)
            with trial.strike():
                taken_up = until_ready(parts.url) if what == WEB else _another(holder, name)
                await asyncio.gather(asyncio.sleep(LONG_S), taken_up)
    trial.count(f"frozen_with_{what}")


async def _caught(parts: Parts, role: str, holder: Holder, still: ExitStack) -> str:
    """The name of who has it in hand and stands still from now on."""
    while True:
        name = await holder()
        if name:
            with ExitStack() as tried:
                tried.enter_context(frozen(pids(parts, role if name == NAME else _second(role))))
                if await holder() == name:  # it was not just done with it
                    still.push(tried.pop_all())
                    return name
        await asyncio.sleep(0.002)


async def _another(holder: Holder, name: str) -> None:
    """Until it is in other hands, or done."""
    while await holder() == name:
        await asyncio.sleep(0.05)


@contextlib.asynccontextmanager
async def _holder(parts: Parts, cast: Cast, what: str) -> AsyncIterator[Holder]:
    """How to ask who has it in hand. Whom a web process serves it does not say: it is the first one."""
    client, keys = connect(parts.redis_url), Keys(cast.day.market)
    leases = {JOBS: keys.jobs_lease, WEBHOOKS: keys.webhooks_lease}
    by_stream = [each.vendor.id for each in cast.vendors if isinstance(each.link, StreamLink)]
    try:
        reader = Reader(client)
        if what == REPLIES:
            yield partial(_consumer, reader, [keys.replies(each) for each in by_stream])
        elif what == WEB:
            yield _first
        else:
            yield partial(_leased, reader, leases[what])
    finally:
        await client.aclose()


async def _first() -> str:
    return NAME


async def _leased(reader: Reader, lease: str) -> str:
    return (await reader.get(lease) or b"").decode()


async def _consumer(reader: Reader, streams: Sequence[str]) -> str:
    """One that has replies which are not finished."""
    for each in streams:
        with contextlib.suppress(NoGroup):  # its vendor has not replied yet
            *_, consumers = await reader.ask(b"XPENDING", each, GROUP)
            for name, _ in consumers or ():
                return str(name.decode())
    return ""


@contextlib.asynccontextmanager
async def _twice(settings: Settings) -> AsyncIterator[Parts]:
    """Roles apart, two of each; the web processes share a listener."""
    async with roles_apart(settings) as parts:
        for role in TWICE:
            parts.commands[_second(role)] = [
                SECOND if each == NAME else each for each in parts.commands[role]
            ]
        yield parts


def _second(role: str) -> str:
    return f"{role}-2"
