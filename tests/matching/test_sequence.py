"""What goes after another is planned after it: in a batch, at once, by hand and in quotes (P10)."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from contracts.codes import DeclineCode, LevelOfService, RequestState, Requirement, Role
from contracts.episode_views import EpisodeSubmission
from contracts.episodes import After, Bundle, Edge, EpisodeDraft, SequenceKind
from contracts.instants import HOUR_MS, MINUTE_MS, to_instant, to_ms
from contracts.offers import Decline
from contracts.requests import OrderLine, Request
from contracts.will_call import WillCall
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.offer_by_hand import OfferByHand
from dispatcher.domain.commands.on_hold import HoldRequest
from dispatcher.domain.refusals import DoesNotFit, Invalid
from dispatcher.matching.batch import run_batch
from dispatcher.matching.commits import Ownership
from dispatcher.matching.explanations import explain
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.quotes import Quoter
from dispatcher.matching.sequence import waves
from dispatcher.matching.solving import SolverPool
from dispatcher.security.principal import Principal
from dispatcher.store.idempotency import IdempotencyRecord
from solvers.screening import Follows, OpenRequest
from tests.matching.conftest import Town
from tests.solvers.town import DAY, TZ, order, trip, vendor

WIDE = 240


def after(name: str, least: int = 0, **facts: object) -> dict[str, object]:
    return {"after": (After(request=name, least_lag_minutes=least, **facts),)}  # type: ignore[arg-type]


async def spans(town: Town, *names: str) -> list[tuple[int, int]]:
    records = [await town.record(each) for each in names]
    return [(each.offers[-1].start_ms, each.offers[-1].end_ms) for each in records]


async def accept(town: Town, name: str) -> None:
    record = await town.record(name)
    vendor_id = record.offers[-1].vendor_id
    who = Principal(roles=frozenset({Role.VENDOR}), markets=frozenset({town.name}), vendor_id=vendor_id)
    await town.service.execute(who, town.name, AcceptOffer(offer_id=f"{name}.{len(record.offers)}"))


async def test_a_batch_plans_and_offers_both_in_order(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"))
    ride = trip("ride", start_min=300, width_min=WIDE, **after("oxygen", 15))
    await town.submit(ride, order("oxygen", start_min=300))
    done = await run_batch(own, town.market, solvers)
    assert done.offered == {"oxygen", "ride"}
    (_, ended_ms), (started_ms, _) = await spans(town, "oxygen", "ride")
    assert started_ms >= ended_ms + 15 * MINUTE_MS


async def test_at_once_what_goes_before_is_matched_first(town: Town, own: Ownership) -> None:
    await town.add_vendor(vendor("v1"))
    ride = trip("ride", start_min=30, width_min=WIDE, **after("oxygen"))
    await town.submit(ride, order("oxygen", start_min=30))
    done = await match_imminent(own, town.market, ["ride", "oxygen"])
    assert done.offered == {"oxygen", "ride"}
    (_, ended_ms), (started_ms, _) = await spans(town, "oxygen", "ride")
    assert started_ms >= ended_ms


async def test_who_waits_for_what_has_no_vendor_is_told_so(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"))
    nobody = order("oxygen", OrderLine(hcpcs="E0601"), start_min=300)
    ride = trip("ride", start_min=300, width_min=WIDE, **after("oxygen"))
    await town.submit(ride, nobody)
    await explain(own, town.market, solvers, await run_batch(own, town.market, solvers))
    found = await town.record("ride")
    assert found.state is RequestState.MATCHING
    assert found.unmatched is not None
    assert (found.unmatched.last_rule, found.unmatched.waits_for) == ("sequence", "oxygen")
    assert not found.unmatched.nobody_left


async def test_what_stands_bounds_who_goes_after_and_who_goes_before(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"))
    await town.add_vendor(vendor("v2"))
    oxygen = order("oxygen", start_min=300)
    ride = trip("ride", start_min=300, width_min=WIDE, **after("oxygen", most_lag_minutes=60))
    await town.submit(oxygen)
    await run_batch(own, town.market, solvers)
    await accept(town, "oxygen")
    platform = Principal(roles=frozenset({Role.PLATFORM}), markets=frozenset({town.name}))
    key = IdempotencyRecord.of("submit", "late", b"ride")
    await town.service.requests.submit(platform, town.name, [ride], key)
    await run_batch(own, town.market, solvers)
    await accept(town, "ride")
    (_, ended_ms), (started_ms, _) = await spans(town, "oxygen", "ride")
    assert ended_ms <= started_ms <= ended_ms + 60 * MINUTE_MS


async def test_what_comes_back_is_matched_before_the_dispatch_that_goes_after_it(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"))
    await town.add_vendor(vendor("v2"))
    ride = trip("ride", start_min=300, width_min=WIDE, **after("oxygen"))
    await town.submit(ride, order("oxygen", start_min=300))
    await run_batch(own, town.market, solvers)
    await accept(town, "ride")
    await town.decline("oxygen", Decline(code=DeclineCode.OTHER))
    assert (await run_batch(own, town.market, solvers)).offered == {"oxygen"}
    (_, ended_ms), (started_ms, _) = await spans(town, "oxygen", "ride")
    assert ended_ms <= started_ms


async def test_by_hand_and_in_a_quote_the_sequence_is_a_rule_too(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"))
    ride = trip("ride", start_min=300, width_min=WIDE, **after("oxygen"))
    await town.submit(ride, order("oxygen", start_min=300))
    quoter = Quoter(town.store, town.clock, {town.name: ZoneInfo(str(TZ))})
    record = await town.record("ride")
    with pytest.raises(DoesNotFit, match="sequence"):
        await quoter.prepared(town.name, record, OfferByHand(request_id="ride", vendor_id="v1"))
    assert "oxygen" in (await run_batch(own, town.market, solvers)).offered
    (_, ended_ms) = (await spans(town, "oxygen"))[0]
    quotes = await quoter.quote(town.name, ride)
    starts = [each.start_at for each in quotes.quotes]
    starts += [other.start_at for each in quotes.quotes for other in each.other_starts]
    assert starts
    assert all(to_ms(each) >= ended_ms for each in starts)
    with pytest.raises(Invalid, match="which is not there"):
        await quoter.quote(town.name, trip("other", start_min=300, **after("nothing")))


async def bundled(town: Town, *requests: Request) -> None:
    platform = Principal(roles=frozenset({Role.PLATFORM}), markets=frozenset({town.name}))
    decide_by = to_instant(town.clock.now_ms() + 2 * HOUR_MS)
    edges = (Edge(before="oxygen", after="ride"),)
    draft = EpisodeDraft(bundle=Bundle.ALL_OR_NONE, decide_by=decide_by, sequence=edges)
    whole = EpisodeSubmission(id="home", requests=requests, episode=draft)
    key = IdempotencyRecord.of("episode", "home", b"home")
    await town.service.episodes.submit(platform, town.name, whole, key)


async def test_a_bundle_is_offered_whole_and_in_sequence_in_one_commit(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"))
    await bundled(town, trip("ride", start_min=300, width_min=WIDE), order("oxygen", start_min=300))
    assert (await run_batch(own, town.market, solvers)).offered == {"oxygen", "ride"}
    (_, ended_ms), (started_ms, _) = await spans(town, "oxygen", "ride")
    assert started_ms >= ended_ms
    assert town.market.requests.bundles
    for _ in range(2):
        await run_batch(own, town.market, solvers)
    assert not town.market.requests.bundles, "what has ended is kept no more"


async def test_nothing_of_a_bundle_is_offered_while_one_of_it_has_no_vendor(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"))
    nobody = trip("ride", start_min=300, width_min=WIDE, level_of_service=LevelOfService.ALS)
    await bundled(town, nobody, order("oxygen", start_min=300))
    done = await run_batch(own, town.market, solvers)
    assert done.offered == set()
    await explain(own, town.market, solvers, done)
    found = await town.record("oxygen")
    assert found.unmatched is not None
    assert (found.unmatched.last_rule, found.unmatched.waits_for) == ("bundle", "ride")
    assert found.unmatched.parts == ("ride",)
    lost = found.unmatched.forgone
    assert lost is not None, "what waiting may cost: the match that it could have by itself"
    assert (lost.vendor_id, to_ms(lost.start_at) >= found.earliest_ms, lost.price_cents > 0) == (
        "v1",
        True,
        True,
    )
    ride = (await town.record("ride")).unmatched
    assert ride is not None and (ride.parts, ride.forgone) == ((), None), "the rules keep it, nobody else"
    town.clock.ms += 2 * HOUR_MS
    assert (await run_batch(own, town.market, solvers)).offered == {"oxygen"}, "decided: each is for itself"


async def test_a_bundle_does_not_wait_for_the_call_that_comes_after_its_ride(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"))

    facts = {"pickup_window": None, "will_call": WillCall(day=DAY), "return_of": "ride"}
    back = trip("back", start_min=600, **facts)
    await bundled(town, trip("ride", start_min=300, width_min=WIDE), back, order("oxygen", start_min=300))
    assert (await run_batch(own, town.market, solvers)).offered == {"oxygen", "ride"}
    assert (await audit(town.store.reader, town.name, []))["findings"] == []


async def test_all_parts_without_a_place_are_named_and_one_that_is_not_sought_now(
    town: Town, own: Ownership, solvers: SolverPool
) -> None:
    await town.add_vendor(vendor("v1"))
    als = {"level_of_service": LevelOfService.ALS}
    some = [trip("ride", start_min=300, width_min=WIDE, **als), trip("back", start_min=600, **als)]
    await bundled(town, *some, order("oxygen", start_min=300), order("bed", start_min=300))
    await explain(own, town.market, solvers, await run_batch(own, town.market, solvers))
    why = (await town.record("oxygen")).unmatched
    assert why is not None and set(why.parts) == {"ride", "back"} and why.waits_for in why.parts
    platform = Principal(roles=frozenset({Role.PLATFORM}), markets=frozenset({town.name}))
    for each in some:
        hold = HoldRequest(request_id=each.id, requirement=Requirement.AUTHORIZATION)
        await town.service.execute(platform, town.name, hold)
    await explain(own, town.market, solvers, await run_batch(own, town.market, solvers))
    why = (await town.record("bed")).unmatched
    assert why is not None and (why.last_rule, set(why.parts)) == ("bundle", {"ride", "back"})
    assert why.waits_for in why.parts and not why.nobody_left
    assert why.removed[-1].rule == "bundle", "it is in no sequence"


def test_offers_are_made_in_turns_each_after_all_that_it_follows() -> None:
    def asked(name: str, *before: str) -> OpenRequest:
        follows = tuple(Follows(each, SequenceKind.FINISH_TO_START.value) for each in before)
        return OpenRequest(request=trip(name), earliest_ms=0, latest_ms=0, follows=follows)

    some = [asked("c", "a", "b"), asked("b", "a"), asked("a"), asked("d"), asked("e", "not here")]
    assert waves(some, [0, 1, 2, 3, 4]) == [[2, 3, 4], [1], [0]]
    assert waves(some, [2, 3]) == [[2, 3]]
