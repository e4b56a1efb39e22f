"""kill -9 of the service in the middle of its work: what was answered 202 ends once, nothing is sold twice.

A platform and vendors go on over the public interfaces while the web process, the matcher or both are killed,
round after round. The store lives on: its own kills are tested where the store is.
"""

import asyncio
import contextlib
import random
import signal
import sys
import time

import pytest
from msgspec.structs import replace

from contracts.codes import RequestState
from contracts.tuning import TuningView
from contracts.vendors import ExplicitAnswer
from dispatcher.demo.judge import judge
from dispatcher.demo.play import reply_keys, tokens
from dispatcher.domain.states import TERMINAL
from dispatcher.runtime.clock import make_clock
from dispatcher.security import key_files
from dispatcher.serve.embedded import EmbeddedRedis
from dispatcher.serve.processes import own_command, own_environment
from dispatcher.serve.supervisor import address, listening
from dispatcher.settings import Markets, Settings
from dispatcher.store.connection import connect
from dispatcher.store.keys import Keys
from simulation import small
from simulation.cast import Cast
from simulation.day import Day, Submission, wanted_ms
from tests.e2e.conftest import kill

AHEAD_MINUTES = 300  # requests come, and vendors may answer, so long before
OUTAGES_AHEAD = 6  # which is at least so many outages, however long one lasts on this machine
FASTEST = 1_200.0
MINUTE_MS = 60_000
PATIENT = ExplicitAnswer(time_limit_s=60 * AHEAD_MINUTES)


class Processes:
    """The web and the matcher process, as the supervisor starts them; killed and started by the test."""

    def __init__(self, settings, listener, log):
        self.redis = connect(settings.redis_url)
        name = ("--name", "killed-and-back")
        listening_to = ("--listener", str(listener.fileno()))
        self.commands = {
            "web": own_command("serve", "--role", "web", *listening_to, *name),
            "matcher": own_command("serve", "--role", "matcher", *name),
        }
        self.environment = own_environment() | settings.environment()
        self.files, self.log = (listener.fileno(),), log
        self.running = {}

    async def start(self, role):
        self.running[role] = await asyncio.create_subprocess_exec(
            *self.commands[role], env=self.environment, pass_fds=self.files, stdout=self.log, stderr=self.log
        )

    async def kill(self, role):
        kill(self.running[role].pid, signal.SIGKILL)
        await self.running[role].wait()

    async def stop(self):
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
        await self.redis.aclose()

    async def fence(self):
        """How often a matcher has taken the market."""
        return int((await self.redis.get(Keys(small.MARKET).fence) or b"0").partition(b"-")[0])

    async def owned(self, fence):
        """Until a matcher has taken the market once more: it matches again."""
        while await self.fence() <= fence:
            await asyncio.sleep(0.02)


def long_day(rounds, span_ms):
    """Requests of the made-up day, moved so that they come all through `span_ms`; patient vendors."""
    made = small.generate(7)
    requests = sorted(made.requests, key=wanted_ms)[: 8 * rounds]
    ahead_ms = AHEAD_MINUTES * MINUTE_MS
    start_ms = min(map(wanted_ms, requests)) - ahead_ms - 40 * MINUTE_MS
    step_ms = span_ms // len(requests)
    submissions = tuple(
        Submission(min(start_ms + number * step_ms, wanted_ms(each) - ahead_ms), (each,))
        for number, each in enumerate(requests)
    )
    in_order = tuple(sorted(submissions, key=lambda each: each.at_ms))
    return Day(
        name="killed",
        market=made.market,
        tz=made.tz,
        vendors=tuple(replace(each, answer=PATIENT) for each in made.vendors),
        capacity=made.capacity,
        submissions=in_order,
        cancel_share=0.05,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="inherits a socket by number")
@pytest.mark.timeout(1200)
async def test_a_killed_service_loses_nothing_and_books_nothing_twice(tmp_path, pytestconfig):
    rounds = pytestconfig.getoption("rounds")
    settings = Settings(data_dir=tmp_path, port=0, markets=Markets({small.MARKET: small.TZ}))
    key_files.ensure_token_keys(settings.token_keys_file)
    key_files.ensure_patient_keys(settings.patient_keys_file)
    async with EmbeddedRedis(tmp_path) as redis:
        settings = Settings.read(settings.environment(), redis_url=redis.url)
        with listening(settings) as listener, (tmp_path / "log").open("ab") as log:
            outage_s = min([await _outage_s(Processes(settings, listener, log)) for _ in range(2)])
            speed = min(FASTEST, 60 * AHEAD_MINUTES / (OUTAGES_AHEAD * outage_s))
            day = long_day(rounds, int(rounds * (outage_s + 0.4) * 1000 * speed))
            settings = replace(
                settings, clock_start_ms=day.start_ms, clock_anchor_s=time.time() + 2, clock_speed=speed
            )
            clock = make_clock(settings.clock_start_ms, settings.clock_anchor_s, speed)
            parts = Processes(settings, listener, log)
            await parts.start("web")
            await parts.start("matcher")
            url = address(settings, listener)
            try:
                secrets = tokens(settings, day, clock), reply_keys(settings, day)
                async with Cast(url, redis.url, *secrets, day, clock=clock, seed=7) as cast:
                    await cast.register()
                    acting = asyncio.create_task(cast.act())
                    in_flight = await _rounds(parts, cast, acting, rounds)
                    await _until_all_ended(cast, acting)
                    acting.cancel()
                    await asyncio.gather(acting, return_exceptions=True)
                    views = {view.id: view async for view in cast.client.views()}
            finally:
                await parts.stop()
        verdict = await judge(redis.url, day.market, cast.tally.acknowledged)
    assert verdict.findings == {}
    assert set(cast.tally.acknowledged) == set(views)
    assert set(views) | cast.tally.refused == {each.id for each in day.requests}  # refused: too late by then
    assert {view.state for view in views.values()} <= TERMINAL
    completed = sum(view.state is RequestState.COMPLETED for view in views.values())
    assert completed > len(views) / 2, cast.tally.by_state()  # 19 in 20 where nothing else runs
    assert sum(in_flight) > 2 * rounds, "the kills met no work on its way"


async def _outage_s(parts):
    """How long it takes on this machine until a matcher that is started matches."""
    began_s, fence = time.monotonic(), await parts.fence()
    await parts.start("matcher")
    await parts.owned(fence)
    await parts.kill("matcher")
    await parts.stop()
    return time.monotonic() - began_s


async def _rounds(parts, cast, acting, rounds):
    """Kill and start again; how many requests were in nobody's hands or a vendor's at each kill."""
    rng, in_flight = random.Random(7), []
    for number in range(rounds):
        victims = (("web",), ("matcher",), ("web", "matcher"))[number % 3]
        await asyncio.sleep(rng.uniform(0.2, 0.6))
        states = cast.tally.states.values()
        in_flight.append(sum(state not in TERMINAL for state in states))
        fence = await parts.fence()
        for role in victims:
            await parts.kill(role)
        for role in victims:
            await parts.start(role)
        await _back(cast)
        if "matcher" in victims:
            await parts.owned(fence)
        if acting.done():
            acting.result()
    return in_flight


async def _back(cast):
    """Until the web process answers again: the call waits in the listener's queue."""
    await cast.ops.call("GET", "/tuning", TuningView)


async def _until_all_ended(cast, acting):
    """Every request has its end, within the day."""
    deadline_s = time.monotonic() + 600
    while time.monotonic() < deadline_s:
        if acting.done():
            acting.result()
        ended = [state for state in cast.tally.states.values() if state in TERMINAL]
        if len(ended) + len(cast.tally.refused) == cast.tally.planned:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"not all ended: {cast.tally.by_state()}")
