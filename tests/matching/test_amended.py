"""A request that was amended is planned as it is wanted now, whatever the matcher had kept of it."""

from datetime import timedelta

import pytest

from contracts.amendments import Amend
from contracts.codes import LevelOfService, RequestState, Role
from contracts.geo import Place, Window
from contracts.instants import HOUR_MS
from dispatcher.domain.commands.amend import AmendRequest
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.matching.commits import Ownership
from dispatcher.matching.imminent import match_imminent
from dispatcher.matching.quotes import Quoter
from dispatcher.security.principal import Principal
from dispatcher.store.hints import Come, Hint
from tests.matching.conftest import Town
from tests.solvers.town import NOON, TZ, trip, vendor

SOON = Window(earliest=NOON + timedelta(minutes=40), latest=NOON + timedelta(minutes=70))
ELSEWHERE = Place(position=(-74.02, 40.73))


async def amend(town: Town, patch: Amend, name: str = "r1") -> RequestRecord:
    """As over HTTP."""
    quoter = Quoter(town.store, town.clock, {town.name: TZ})

    async def prepare(record: RequestRecord, command: AmendRequest) -> AmendRequest:
        return await quoter.amended(town.name, record, command)

    who = Principal.of(Role.PLATFORM, markets=frozenset({town.name}))
    command = AmendRequest(request_id=name, patch=patch)
    record: RequestRecord = await town.service.execute(who, town.name, command, prepare=prepare)
    return record


@pytest.fixture
async def one(town: Town) -> Town:
    await town.add_vendor(vendor("v1"))
    await town.market.refresh()
    return town


async def test_a_body_that_was_kept_is_read_again(one: Town) -> None:
    await one.submit(trip("r1"))
    ((_, before),) = await one.market.waiting(["r1"])
    await amend(one, Amend(dropoff=ELSEWHERE, pickup_window=SOON))
    ((record, after),) = await one.market.waiting(["r1"])
    assert (before.request.doors[1], after.request.doors[1]) == (trip().doors[1], ELSEWHERE.position)
    assert (record.earliest_ms, record.revision) == (after.earliest_ms, 1)
    await amend(one, Amend(level_of_service=LevelOfService.CCT))
    ((_, last),) = await one.market.waiting(["r1"])
    assert last.request.ride_level is LevelOfService.CCT


async def test_what_was_out_of_reach_and_is_near_now_is_in_the_next_batch(one: Town, own: Ownership) -> None:
    await one.submit(trip("r1", start_min=60 * 24 * 13))
    ids, travel = await one.market.requests.open_ids(), await one.market.travel()
    assert await one.market.next_batch(ids, travel) == []
    await amend(one, Amend(pickup_window=SOON))
    assert await one.market.next_batch(ids, travel) == [], "nobody has told the matcher yet"
    ids = await one.market.requests.open_ids()
    assert [record.id for record, _ in await one.market.next_batch(ids, travel)] == ["r1"]


async def test_a_hint_is_enough_for_what_is_imminent_now(one: Town, own: Ownership) -> None:
    await one.submit(trip("r1", start_min=60 * 24 * 13))
    assert (await match_imminent(own, one.market, ["r1"])).tried == set()
    await amend(one, Amend(pickup_window=SOON))
    one.market.requests.are_new(["r1"])
    assert (await match_imminent(own, one.market, ["r1"])).offered == {"r1"}
    assert (await one.record("r1")).offers[-1].start_ms >= one.clock.now_ms()


async def test_where_a_hint_is_behind_what_it_brought_keeps_nobody_out_of_reach(
    one: Town, own: Ownership
) -> None:
    """The hint of the amendment is lost, and that of the request is heard after the amendment was seen."""
    await one.submit(trip("r1", start_min=60 * 24 * 13))
    keys = one.store.market(one.name).keys
    stored = await one.store.reader.get_all([keys.record(REQUEST_KIND, "r1"), keys.body(REQUEST_KIND, "r1")])
    hint = Hint(ids=("r1",), come={"r1": Come(*(each or b"" for each in stored))})
    await amend(one, Amend(pickup_window=SOON))
    ids = await one.market.requests.open_ids()
    one.market.requests.are_new(hint.ids, hint.come)
    assert (await match_imminent(own, one.market, hint.ids)).tried == set()
    waiting = await one.market.next_batch(ids, await one.market.travel())
    assert [record.revision for record, _ in waiting] == [1]


async def test_an_offer_that_was_taken_back_is_made_again_for_what_is_wanted(
    one: Town, own: Ownership
) -> None:
    await one.submit(trip("r1", start_min=30))
    await match_imminent(own, one.market, ["r1"])
    assert (await one.record("r1")).state is RequestState.OFFERED
    assert (await amend(one, Amend(pickup_window=SOON))).state is RequestState.MATCHING
    await one.market.refresh()
    await match_imminent(own, one.market, ["r1"])
    first, second = (await one.record("r1")).offers
    assert (first.code, first.bookings) == ("amended", ())
    assert second.start_ms >= first.start_ms + HOUR_MS / 12


async def test_an_appointment_is_reached_from_where_it_is_now(one: Town) -> None:
    wanted = NOON + timedelta(hours=5)
    await one.submit(trip("r1"))
    near = await amend(one, Amend(appointment_at=wanted))
    far = await amend(one, Amend(pickup=Place(position=(-74.2, 40.6))))
    assert far.latest_ms < near.latest_ms
    ((record, asked),) = await one.market.waiting(["r1"])
    assert (record.earliest_ms, record.latest_ms) == (asked.earliest_ms, asked.latest_ms)
