"""What the matcher counts of its work: how long offers took, how they were answered, what batches took."""

from __future__ import annotations

from collections.abc import Mapping

from contracts.codes import DeclineCode, Role
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.requests import waited_ms
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.explanations import explain
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.solving import SolverPool
from dispatcher.security.principal import Principal
from dispatcher.service.measures import (
    ANSWERS,
    BATCHES,
    GAPS,
    MATCHES,
    OFFER_WAIT,
    SOLVES,
    Family,
    histograms,
)
from tests.matching.conftest import Town
from tests.solvers.town import trip, vendor

HOUR_MS = 3_600_000


async def _told(town: Town) -> Mapping[str, int]:
    part = town.store.market(town.name).measures
    await town.service.measures.tell(town.name, part)
    return await part.read()


def _one(counts: Mapping[str, int], family: Family) -> tuple[str, float, float]:
    """The only value of the label that came: it, how often, and the sum in seconds."""
    ((value, classes, total_s),) = histograms(family, counts)
    return value, classes[-1][1], total_s


async def test_an_imminent_offer_is_measured_from_when_its_request_came(town: Town, own: Ownership) -> None:
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("r1", start_min=30))
    town.clock.ms += 4_000
    await match_imminent(own, town.market, ["r1"])
    counts = await _told(town)
    assert _one(counts, OFFER_WAIT) == ("imminent", 1, 4.0)
    assert counts[f"{MATCHES.name}:offered"] == 1


async def test_a_batch_is_measured_with_its_solver(town: Town, own: Ownership, solvers: SolverPool) -> None:
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("r1", start_min=300), trip("r2", start_min=300))
    await run_batch(own, town.market, solvers)
    counts = await _told(town)
    assert _one(counts, OFFER_WAIT)[:2] == ("batch", 2)
    assert _one(counts, BATCHES)[:2] == _one(counts, SOLVES)[:2] == ("optimiser", 1)
    assert _one(counts, GAPS)[:2] == ("optimiser", 1)
    assert 0 <= _one(counts, GAPS)[2] < 1
    assert _one(counts, BATCHES)[2] >= _one(counts, SOLVES)[2] > 0


async def test_an_answer_is_measured_from_its_offer_whoever_hears_it(town: Town, own: Ownership) -> None:
    await town.add_vendor(vendor("v1"))
    await town.submit(trip("r1", start_min=30))
    await match_imminent(own, town.market, ["r1"])
    town.clock.ms += 20_000
    who = Principal(
        roles=frozenset({Role.VENDOR}), subject="v1", vendor_id="v1", markets=frozenset({town.name})
    )
    declined = DeclineOffer(offer_id="r1.1", code=DeclineCode.NO_VEHICLES_AVAILABLE)
    await town.service.execute(who, town.name, declined)
    assert _one(await _told(town), ANSWERS) == ("rejected", 1, 20.0)


async def test_what_a_request_waited_for_others_is_not_counted(town: Town) -> None:
    await town.submit(trip("r1", start_min=30), trip("far", start_min=72 * 60))
    record, far = await town.record("r1"), await town.record("far")
    later_ms = town.clock.ms + HOUR_MS
    assert waited_ms(record, later_ms, 48 * HOUR_MS) == HOUR_MS
    assert waited_ms(far, later_ms, 48 * HOUR_MS) == 0  # it is not looked at before tomorrow
    assert waited_ms(far, later_ms + 24 * HOUR_MS, 48 * HOUR_MS) == HOUR_MS


async def test_who_had_no_vendor_at_first_is_told_apart(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.submit(trip("r1", start_min=30))
    done = await match_imminent(own, town.market, ["r1"])
    await explain(own, town.market, solvers, done)
    assert (await town.record("r1")).unmatched is not None
    await town.add_vendor(vendor("v1"))
    await town.market.refresh()
    await match_imminent(own, town.market, ["r1"])
    assert _one(await _told(town), OFFER_WAIT)[:2] == ("scarce", 1)
