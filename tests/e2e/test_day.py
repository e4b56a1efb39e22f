"""A small day at high speed: everybody plays, everything is counted, nothing is said about patients."""

import contextlib
import dataclasses
import io
import random
import sys
from pathlib import Path

import aiohttp
import msgspec
import pytest
from rich.console import Console

from dispatcher.demo.play import Options, played
from dispatcher.demo.report import show
from dispatcher.demo.story import pairs
from dispatcher.demo.summary import reason
from dispatcher.domain.states import TERMINAL
from simulation import small, stories
from simulation.day import Day, at, booked, instant, wanted_ms
from simulation.episodes import Plot
from tests.e2e.conftest import alive, descendants

SPEED = 1_000.0
WHY = {
    "ride-critical-care": "level_of_service",
    "ride-far-away": "service_area",
    "ride-many-stairs": "needs",
    "order-rare-device": "hcpcs",
}


def two_hours():
    """What the made-up day wants from ten to noon, booked on the day itself; and what nobody can do."""
    made = small.generate(5)
    hours = {each.id: instant(wanted_ms(each), made.tz).hour for each in made.requests}
    wanted = [each for each in made.requests if hours[each.id] in {10, 11}]
    impossible = [each for each in made.requests if each.patient is None and each not in wanted]
    requests = wanted[:60] + impossible
    return Day(
        name="two hours",
        market=made.market,
        tz=made.tz,
        vendors=made.vendors,
        capacity=made.capacity,
        submissions=booked(requests, made.tz, 0.0, random.Random(5)),
        tuning={**stories.TUNING, **made.tuning},
        reached=made.reached,
        counter_share=0.2,
        proves=True,
        episodes=stories_of_a_morning(made),
    )


def stories_of_a_morning(made):
    """Two of each plot that are over by the early afternoon, all asked for at five in the morning."""
    told = stories.with_episodes(made, 60, 5).episodes
    until_ms, five_ms = at(made.tz, 13 * 60), at(made.tz, 5 * 60)
    found = []
    for plot in Plot:
        of_it = [each for each in told if each.plot is plot]
        early = [each for each in of_it if max(map(wanted_ms, each.as_called)) < until_ms]
        found += sorted(early, key=lambda each: not each.again)[:2]
    again = {
        each.id: dataclasses.replace(each.again, at_ms=five_ms + 40 * 60_000) for each in found if each.again
    }
    return tuple(dataclasses.replace(each, at_ms=five_ms, again=again.get(each.id)) for each in found)


@pytest.mark.timeout(240)
async def test_a_day_ends_with_everything_accounted_for_and_no_word_about_a_patient(tmp_path):
    day, seen = two_hours(), io.StringIO()
    console = Console(file=seen, width=110)
    options = Options(speed=SPEED, seed=5, data_dir=tmp_path)
    async with contextlib.AsyncExitStack() as stack:
        end = await stack.enter_async_context(played(day, options, console))
        show(console, end.summary, day, end.views)
        metrics = await _metrics(end.service.url)
        pids = descendants(end.service.process.pid) if sys.platform == "linux" else set()
    assert not alive(pids)

    sums = end.summary
    assert sums.requests == len(end.views) == len(day.requests) - sums.refused
    assert sums.requests == sums.matched + sum(sums.unmatched.values()) + sums.cancelled + sums.open
    assert sums.matched == sum((sums.completed, sums.no_show, sums.failed, sums.under_way))
    assert (sums.lost, sums.double_booked, sums.audit, sums.open) == (0, 0, {}, 0)
    assert sums.matched > sums.requests / 2
    begun = [each for each in day.episodes if each.ids[0] in end.views]
    assert sums.episodes == len(begun)
    assert {each.id for each in day.episodes if each.order is not None} <= {each.id for each in begun}
    assert sums.duplicates_caught == sums.duplicates_sent > 0
    assert sums.ownerless == 0
    assert (sums.webhooks_failed, sums.webhooks_delivered > 0) == (0, True)
    assert sums.counter_offers >= sums.counters_taken > 0
    assert sums.vendor_messages["proved"] > 0
    unproved = sums.completed - sums.vendor_messages["proved"]  # of one dispatch several parts may be proved
    assert sums.proofs_missing <= max(0, unproved)
    for pair in pairs(begun, end.views, ()):  # at this speed notice of ten minutes is half a second
        after = end.views[pair.edge.after]
        let_go = pair.edge.before not in {link.request for link in after.after}
        assert pair.is_kept or let_go or after.at_risk == "started_early"
    assert {view.state for view in end.views.values()} <= TERMINAL
    for name, why in WHY.items():
        if name in end.views:  # on a slow machine its window may have gone by before it came in
            assert reason(end.views[name]) == why
    assert sums.first_match_s is not None
    assert sums.offer_p99_ms is not None
    assert sums.possible.requests >= sums.matched

    canaries = [
        text.encode()
        for request in day.requests
        if request.patient
        for text in msgspec.structs.astuple(request.patient)
        if isinstance(text, str)
    ]
    assert len(canaries) > 200
    spoken = {"screen": seen.getvalue().encode(), "metrics": metrics, **_files(tmp_path)}
    assert {"service.log", "screen", "metrics"} <= spoken.keys()
    assert any("appendonly" in name for name in spoken)  # every stream and every key is in that file
    leaks = [name for name, content in spoken.items() if any(canary in content for canary in canaries)]
    assert leaks == []


async def _metrics(url):
    async with aiohttp.ClientSession() as session, session.get(f"{url}/metrics") as answer:
        return await answer.read()


def _files(folder: Path):
    return {str(each.relative_to(folder)): each.read_bytes() for each in folder.rglob("*") if each.is_file()}
