"""Offers that nobody has answered yet move when that is worth it; whatever was answered stays."""

from __future__ import annotations

import asyncio

import pytest

from contracts.codes import OfferState, RequestState
from contracts.tuning import Tuning
from contracts.vendors import AssumedAnswer, ExplicitAnswer, RateCard
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.table import decide
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Done, Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.solving import SolverPool
from dispatcher.store.outcome import Status
from tests.matching.conftest import Town
from tests.solvers.town import trip, vendor

DEARER = RateCard(included_miles=0)
PATIENT = ExplicitAnswer(time_limit_s=7_200)
MINUTE_MS = 60_000


async def tune(town: Town, **values: float) -> None:
    stored = town.store.market(town.name).tuning
    known = await stored.get()
    await stored.put(Tuning(version=known.version + 1, values=known.values | values), known.version)


async def stand(town: Town, own: Ownership, solvers: SolverPool, *, answer: object = PATIENT) -> None:
    """`stands` is offered to v1, the cheaper one, whose only unit `waits` needs: v2 may not take that."""
    await town.add_vendor(vendor("v1", answer=answer), units=1)
    await town.add_vendor(vendor("v2", answer=PATIENT, rate_card=DEARER), units=1)
    await town.submit(trip("stands", start_min=240, width_min=0))
    await run_batch(own, town.market, solvers)
    town.clock.ms += 2 * MINUTE_MS


async def wait(town: Town, own: Ownership, solvers: SolverPool) -> Done:
    await town.submit(trip("waits", start_min=240, width_min=0, excluded_vendors=("v2",)))
    return await run_batch(own, town.market, solvers)


async def vendors(town: Town) -> dict[str, str | None]:
    ids = ["stands", "waits"]
    return dict(zip(ids, await town.vendors_of(ids), strict=True))


async def is_sound(town: Town) -> None:
    assert (await audit(town.store.reader, town.name, town.ids))["findings"] == []


async def test_it_moves_when_that_places_another_request(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await stand(town, own, solvers)
    done = await wait(town, own, solvers)
    assert await vendors(town) == {"stands": "v2", "waits": "v1"}
    assert (done.offered, done.moved, done.fell_out) == ({"waits"}, {"stands"}, 0)
    states = [(each.vendor_id, each.state, each.code) for each in (await town.record("stands")).offers]
    assert states == [
        ("v1", OfferState.CANCELLED, "withdrawn"),
        ("v2", OfferState.REQUESTED, ""),
    ]
    await is_sound(town)


async def test_what_the_matcher_counts_after_a_move_is_what_the_ledgers_say(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await stand(town, own, solvers)
    await wait(town, own, solvers)
    known = town.market.reading
    assert known is not None
    fresh = (await town.market.refresh()).capacity.supply.arrays()
    counted = known.capacity.supply.arrays()
    assert all((counted[name] == fresh[name]).all() for name in fresh)


@pytest.mark.parametrize(
    "values",
    [
        {"move_offer_cents": 60_000},
        {"move_limit": 0},
        {"move_candidates": 0},
        {"move_freeze_minutes": 300},
        {"move_settle_s": 600},
    ],
    ids=lambda values: next(iter(values)),
)
async def test_each_parameter_keeps_it_where_it_is(
    town: Town, own: Ownership, solvers: SolverPool, values: dict[str, float]
) -> None:
    await tune(town, **values)
    await stand(town, own, solvers)
    await wait(town, own, solvers)
    assert await vendors(town) == {"stands": "v1", "waits": None}


async def test_an_offer_that_silence_accepts_never_moves(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await stand(town, own, solvers, answer=AssumedAnswer(reject_within_s=7_200))
    await wait(town, own, solvers)
    assert await vendors(town) == {"stands": "v1", "waits": None}


async def test_what_was_accepted_never_moves(town: Town, own: Ownership, solvers: SolverPool) -> None:
    await stand(town, own, solvers)
    await accept(town, "stands")
    await wait(town, own, solvers)
    assert (await town.record("stands")).state is RequestState.ACCEPTED
    assert (await vendors(town))["waits"] is None


async def test_a_vendor_that_is_no_candidate_any_more_keeps_its_offer_and_its_unit_stays_taken(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await stand(town, own, solvers)
    paused = vendor("v1", answer=PATIENT, paused=True)
    await town.store.market(town.name).vendors.put(paused, at_ms=town.clock.now_ms())
    await wait(town, own, solvers)
    assert await vendors(town) == {"stands": "v1", "waits": None}


async def test_for_a_cheaper_vendor_alone_it_moves_only_if_that_saves_more_than_the_move_costs(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1", answer=PATIENT, rate_card=RateCard(included_miles=0)), units=1)
    await town.submit(trip("stands", start_min=240, width_min=0))
    await run_batch(own, town.market, solvers)
    await town.add_vendor(vendor("v2", answer=PATIENT), units=9)
    town.clock.ms += 2 * MINUTE_MS
    await town.submit(trip("other", start_min=240, width_min=0, excluded_vendors=("v1",)))
    await run_batch(own, town.market, solvers)
    assert (await vendors_of(town, "stands")) == "v1"
    await tune(town, move_offer_cents=0)
    await town.submit(trip("third", start_min=240, width_min=0, excluded_vendors=("v1",)))
    await run_batch(own, town.market, solvers)
    assert (await vendors_of(town, "stands")) == "v2"


async def vendors_of(town: Town, name: str) -> str | None:
    return (await town.vendors_of([name]))[0]


async def accept(town: Town, name: str) -> bool:
    """As its vendor does, on the record as it was read."""
    record = await town.record(name)
    return await accepted(town, record)


async def accepted(town: Town, record: RequestRecord) -> bool:
    offer = record.offers[-1]
    context = town.context(f"vendor:{offer.vendor_id}", offer.vendor_id)
    decision = decide(record, AcceptOffer(offer_id=f"{record.id}.{offer.attempt}"), context)
    assert decision is not None
    outcome = await town.store.market(town.name).commit([decision])
    assert outcome.status in (Status.OK, Status.STALE)
    return outcome.ok


async def test_when_its_vendor_accepts_during_the_plan_the_move_falls_out_and_nothing_is_over_booked(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await stand(town, own, solvers)

    class Slow:
        """Somebody accepts while the plan is made."""

        async def plan(self, screening: object, most_s: float = 1.0, whose: object = None) -> object:
            made = await solvers.plan(screening, most_s)  # type: ignore[arg-type]
            await accept(town, "stands")
            return made

    await town.submit(trip("waits", start_min=240, width_min=0, excluded_vendors=("v2",)))
    done = await run_batch(own, town.market, Slow())  # type: ignore[arg-type]
    assert (done.offered, done.moved, done.fell_out) == (set(), set(), 2)
    assert (await town.record("stands")).state is RequestState.ACCEPTED
    assert (await vendors(town))["waits"] is None
    await is_sound(town)


async def test_an_acceptance_and_a_move_at_the_same_moment_end_in_exactly_one_of_both(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await stand(town, own, solvers)
    before = await town.record("stands")
    taken, done = await asyncio.gather(accepted(town, before), wait(town, own, solvers))
    record = await town.record("stands")
    assert (record.state is RequestState.ACCEPTED) == taken
    assert ("stands" in done.moved) != taken
    assert len([each for each in record.offers if each.live]) == 1
    await is_sound(town)


@pytest.fixture
async def crowded(town: Town, own: Ownership, solvers: SolverPool) -> Town:
    """`stands` begins in 95 minutes at v1; an imminent ride that only v1 may take overlaps with it."""
    await town.add_vendor(vendor("v1", answer=PATIENT), units=1)
    await town.add_vendor(vendor("v2", answer=PATIENT, rate_card=DEARER), units=1)
    await town.submit(trip("stands", start_min=97, width_min=0))
    await run_batch(own, town.market, solvers)
    town.clock.ms += 2 * MINUTE_MS
    assert (await town.vendors_of(["stands"])) == ["v1"]
    await town.submit(trip("waits", start_min=85, width_min=0, excluded_vendors=("v2",)))
    return town


async def test_for_an_imminent_ride_a_neighbour_steps_aside_in_one_commit(
    crowded: Town, own: Ownership
) -> None:
    done = await match_imminent(own, crowded.market, ["waits"])
    assert await vendors(crowded) == {"stands": "v2", "waits": "v1"}
    assert (done.offered, done.moved) == ({"waits"}, {"stands"})
    await is_sound(crowded)


@pytest.mark.parametrize(
    "values", [{"move_offer_cents": 60_000}, {"move_freeze_minutes": 120}, {"move_limit": 0}]
)
async def test_nobody_steps_aside_at_a_price_that_is_too_high_or_when_frozen(
    crowded: Town, own: Ownership, values: dict[str, float]
) -> None:
    await tune(crowded, **values)
    await match_imminent(own, crowded.market, ["waits"])
    assert await vendors(crowded) == {"stands": "v1", "waits": None}


async def test_where_one_part_cannot_be_committed_nothing_is_changed(
    crowded: Town, own: Ownership, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = crowded.store.market(crowded.name)
    attempt, before = type(own).attempt, await crowded.record("stands")

    def after_a_change(self: Ownership, market: str, *decided_on: object) -> object:
        async def late() -> object:
            wider = vendor("v2", answer=PATIENT, rate_card=DEARER, max_stairs=40)
            await stored.vendors.put(wider, at_ms=crowded.clock.now_ms())
            return await attempt(self, market, *decided_on)  # type: ignore[arg-type]

        return late()

    await crowded.market.refresh()
    monkeypatch.setattr(Ownership, "attempt", after_a_change)
    done = await match_imminent(own, crowded.market, ["waits"])
    assert (done.offered, done.moved) == (set(), set())
    assert (await crowded.record("stands")) == before
    assert await vendors(crowded) == {"stands": "v1", "waits": None}
    await is_sound(crowded)


async def test_a_ledger_that_disagrees_with_one_offer_keeps_no_other_request_from_its_vendor(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await stand(town, own, solvers)
    stored = town.store.market(town.name)
    (booking,) = (await town.record("stands")).offers[0].bookings
    used = stored.keys.used("v1", booking.pool_id, booking.day)
    await town.store.reader.ask("SETRANGE", used, 2 * (1 + booking.first), bytes(2))
    await town.submit(trip("other", start_min=600, width_min=0))
    done = await wait(town, own, solvers)
    assert (await town.vendors_of(["other"]))[0] is not None
    assert "stands" not in done.moved
