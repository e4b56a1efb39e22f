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
from contracts.vendors import ExplicitAnswer
from dispatcher import keyfiles
from dispatcher.clock import make_clock
from dispatcher.demo import small
from dispatcher.demo.cast import Cast
from dispatcher.demo.day import Day, Submission, wanted_ms
from dispatcher.demo.judge import judge
from dispatcher.domain.states import TERMINAL
from dispatcher.embedded import EmbeddedRedis
from dispatcher.processes import own_command, own_environment
from dispatcher.settings import Markets, Settings
from dispatcher.supervisor import address, listening
from tests.e2e.conftest import kill

SPEED = 1_200.0
AHEAD_MINUTES = (
    300  # requests come, and vendors may answer, so long before: many times an outage, at this speed
)
ROUND_S = 1.5  # about what a round takes: requests are spread over all of them
MINUTE_MS = 60_000
PATIENT = ExplicitAnswer(time_limit_s=60 * AHEAD_MINUTES)


class Processes:
    """The web and the matcher process, as the supervisor starts them; killed and started by the test."""

    def __init__(self, settings, listener, log):
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


def long_day(rounds):
    """Requests of the made-up day, moved so that some come in every second of the test; patient vendors."""
    made = small.generate(7)
    span_ms = int((rounds * ROUND_S + 4) * 1000 * SPEED)
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
        zone=made.zone,
        vendors=tuple(replace(each, answer=PATIENT) for each in made.vendors),
        capacity=made.capacity,
        submissions=in_order,
        cancel_share=0.05,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="inherits a socket by number")
@pytest.mark.timeout(900)
async def test_a_killed_service_loses_nothing_and_books_nothing_twice(tmp_path, pytestconfig):
    rounds = pytestconfig.getoption("rounds")
    day = long_day(rounds)
    settings = Settings(
        data_dir=tmp_path,
        port=0,
        markets=Markets({day.market: day.zone}),
        clock_start_ms=day.start_ms,
        clock_anchor_s=time.time() + 4,
        clock_speed=SPEED,
    )
    keyfiles.ensure_token_keys(settings.token_keys_file)
    keyfiles.ensure_patient_keys(settings.patient_keys_file)
    clock = make_clock(settings.clock_start_ms, settings.clock_anchor_s, SPEED)
    async with EmbeddedRedis(tmp_path) as redis:
        settings = Settings.read(settings.environment(), redis_url=redis.url)
        with listening(settings) as listener, (tmp_path / "log").open("ab") as log:
            parts = Processes(settings, listener, log)
            await parts.start("web")
            await parts.start("matcher")
            url = address(settings, listener)
            try:
                async with Cast(url, redis.url, settings, day, clock=clock, seed=7) as cast:
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


async def _rounds(parts, cast, acting, rounds):
    """Kill and start again; how many requests were in nobody's hands or a vendor's at each kill."""
    rng, in_flight = random.Random(7), []
    for number in range(rounds):
        victims = (("web",), ("matcher",), ("web", "matcher"))[number % 3]
        await asyncio.sleep(rng.uniform(0.2, 0.6))
        states = cast.tally.states.values()
        in_flight.append(sum(state not in TERMINAL for state in states))
        for role in victims:
            await parts.kill(role)
        for role in victims:
            await parts.start(role)
        await _back(cast)
        if acting.done():
            acting.result()
    return in_flight


async def _back(cast):
    """Until the web process answers again: the call waits in the listener's queue."""
    await cast.ops.exchange("GET", "/tuning")


async def _until_all_ended(cast, acting):
    """Every request has its end, within the day."""
    deadline_s = time.monotonic() + 120
    while time.monotonic() < deadline_s:
        if acting.done():
            acting.result()
        ended = [state for state in cast.tally.states.values() if state in TERMINAL]
        if len(ended) + len(cast.tally.refused) == cast.tally.planned:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"not all ended: {cast.tally.by_state()}")
