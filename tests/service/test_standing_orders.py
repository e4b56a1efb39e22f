"""What comes again is made in time, each day once, whatever crashes; and as the clock of the market says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from contracts.codes import RequestState, Role
from contracts.episodes import After
from contracts.geo import Window
from contracts.instants import DAY_MS, to_ms
from contracts.offers import Accept
from contracts.patients import Patient
from contracts.requests import EquipmentOrder, OrderLine, TripRequest
from contracts.standing_orders import (
    Holidays,
    OnHoliday,
    Shift,
    StandingOrder,
    StandingOrderState,
    StandingOrderView,
    made_id,
)
from contracts.tasks import TaskKind, TaskQuery
from contracts.will_call import WillCall
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.standing_orders import (
    EndStandingOrder,
    OnStandingOrder,
    PauseStandingOrder,
    ResumeStandingOrder,
    ShiftStandingOrder,
    SkipStandingOrder,
)
from dispatcher.domain.refusals import Invalid, PossibleDuplicate, Stale, Unavailable, WrongState
from dispatcher.jobs.timers import Timers
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.service.service import Service
from dispatcher.store.bodies import key_of_body
from dispatcher.store.store import Store
from tests.clock import ManualClock
from tests.domain import make
from tests.service.world import REGISTRY, World

TZ = ZoneInfo("America/New_York")
START = datetime(2026, 3, 4, 6, 30, tzinfo=TZ)  # a Wednesday; four days later the clock is put forward
FIRST = START.date()
ONE = make.patient("one")
HOUR = timedelta(hours=1)
RULE = "FREQ=WEEKLY;BYDAY=MO,WE,FR"


def leg(at: datetime, patient: Patient | None = ONE) -> TripRequest:
    window = Window(earliest=at, latest=at + timedelta(minutes=15))
    return make.trip("dialysis", pickup_window=window, patient=patient)


def called_back(day: date = FIRST) -> TripRequest:
    return replace(leg(START, patient=None), pickup_window=None, will_call=WillCall(day=day))


def dialysis(**changes: object) -> StandingOrder:
    order = StandingOrder(
        request=leg(START), return_ride=leg(START + timedelta(hours=5), patient=None), rule=RULE
    )
    return replace(order, **changes)


class Standing(World):
    """A market in New York on Monday, March 2nd 2026."""

    def __init__(self, store: Store, market: str) -> None:
        super().__init__(store, market, ManualClock(to_ms(datetime(2026, 3, 2, 12, tzinfo=TZ))))
        self.service = Service(store, self.clock, {market: TZ}, REGISTRY)

    async def order(self, order: StandingOrder, version: int = 0) -> StandingOrderView:
        record = await self.service.standing_orders.put(
            self.platform, self.market, "dialysis", order, version
        )
        return await self.service.standing_orders.view(self.market, record)

    async def view(self) -> StandingOrderView:
        record = await self.service.standing_orders.get(self.platform, self.market, "dialysis")
        return await self.service.standing_orders.view(self.market, record)

    async def give(self, command: type[OnStandingOrder], **facts: object) -> None:
        await self.service.execute(
            self.platform,
            self.market,
            command(order_id="dialysis", tz=TZ, **facts),  # type: ignore[call-arg]
        )

    async def fire(self) -> None:
        while await Timers(self.service).fire_due(self.market):
            pass

    async def made(self) -> list[str]:
        return sorted(await self.store.market(self.market).requests.open_ids(500))


@pytest.fixture
async def standing(world: World) -> AsyncIterator[Standing]:
    yield Standing(world.store, world.market)


async def test_the_requests_of_the_lead_time_are_made_with_ids_that_follow_from_order_and_day(
    standing: Standing,
) -> None:
    view = await standing.order(dialysis())
    assert [str(each.day) for each in view.next[:3]] == ["2026-03-04", "2026-03-06", "2026-03-09"]
    await standing.fire()
    made = await standing.made()
    assert made[:3] == ["dialysis-20260304", "dialysis-20260304-r", "dialysis-20260306"]
    assert made[-1] == "dialysis-20260316-r"
    assert len(made) == 12
    assert (await standing.record(made[1])).standing_order == "dialysis"
    requests = standing.store.market(standing.market).requests
    assert await requests.patient("dialysis-20260304-r") == make.patient("one")
    before, after = [await requests.expected_body(f"dialysis-202603{day}") for day in ("06", "09")]
    assert before.wished_window is not None
    assert after.wished_window is not None
    times = [each.wished_window.earliest.astimezone(TZ).strftime("%H:%M %Z") for each in (before, after)]
    assert times == ["06:30 EST", "06:30 EDT"]
    await standing.fire()
    assert await standing.made() == made
    standing.clock.ms += 2 * DAY_MS
    await standing.fire()
    assert "dialysis-20260318" in await standing.made()


@pytest.mark.parametrize("changes", [{}, {"pickup_window": None, "appointment_at": START}])
async def test_there_and_back_are_a_round_trip_and_end_as_one(
    standing: Standing, changes: dict[str, datetime | None]
) -> None:
    await standing.order(dialysis(request=replace(leg(START), **changes), return_ride=called_back()))
    await standing.fire()
    there, other = (await standing.made())[:2]
    back = f"{there}-r"
    assert (await standing.record(back)).return_of == there
    await standing.cancel(standing.platform, there)
    codes = [(await standing.record(each)).history[-1].code for each in (back, f"{other}-r")]
    assert codes == ["outbound_cancelled", "activation"]


async def test_a_ride_back_too_soon_to_be_one_is_made_by_itself(standing: Standing) -> None:
    at = START + timedelta(minutes=15)
    soon = replace(leg(at, patient=None), pickup_window=Window(earliest=at, latest=at))
    await standing.order(dialysis(return_ride=soon))
    await standing.fire()
    assert (await standing.record("dialysis-20260304-r")).return_of == ""


async def test_what_many_processes_fire_at_once_is_made_once(standing: Standing) -> None:
    await standing.order(dialysis())
    record = await standing.service.standing_orders.get(standing.platform, standing.market, "dialysis")
    fire = standing.service.occurrences.fire
    outcomes = await asyncio.gather(*(fire(standing.market, record) for _ in range(6)))
    assert sum(outcome is not None and outcome.ok for outcome in outcomes) == 1
    assert len(await standing.made()) == 12
    assert (await standing.heard(standing.keys.events)).count("dispatch.standing_order.changed") == 2


async def test_a_crash_after_the_commit_or_before_it_makes_nothing_twice_and_loses_nothing(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    await standing.order(dialysis())
    stored = standing.store.market(standing.market)
    record = await standing.service.standing_orders.get(standing.platform, standing.market, "dialysis")
    commit = stored.commit

    async def before(*args: object, **more: object) -> None:
        raise Unavailable("killed")

    async def after(*args: object, **more: object) -> None:
        await commit(*args, **more)  # type: ignore[arg-type]
        raise Unavailable("killed")

    for dies, made in ((before, 0), (after, 12), (after, 12)):
        with monkeypatch.context() as patch, pytest.raises(Unavailable):
            patch.setattr(stored, "commit", dies)
            await standing.service.occurrences.fire(standing.market, record)
        assert len(await standing.made()) == made
    await standing.fire()
    assert len(await standing.made()) == 12


async def test_what_the_patient_has_already_is_left_out_and_a_persons_task(standing: Standing) -> None:
    by_hand = replace(leg(START), id="by-hand")
    await standing.submit(by_hand)
    await standing.order(dialysis())
    await standing.fire()
    view = await standing.view()
    assert [(str(each.day), each.code, each.duplicate_of) for each in view.left_out] == [
        ("2026-03-04", "possible_duplicate", ("by-hand",))
    ]
    made = await standing.made()
    assert "dialysis-20260304" not in made
    assert "dialysis-20260304-r" in made
    (name,) = (await standing.record("by-hand")).tasks
    task = await standing.service.tasks.view(standing.platform, standing.market, name)
    assert (task.kind, task.code) == (TaskKind.POSSIBLE_DUPLICATE, "dialysis-20260304")
    with pytest.raises(PossibleDuplicate, match="dialysis-20260306"):
        await standing.submit(replace(leg(START + timedelta(days=2)), id="again"), key="k2")


async def test_a_day_that_is_refused_is_a_persons_task_and_holds_up_no_other(
    standing: Standing, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = standing.service.requests.duplicates.checked
    day = FIRST + timedelta(days=2)

    async def full(market: str, requests: Any, *others: Any, **more: Any) -> Any:
        if any(each.id == made_id("dialysis", day) for each in requests):
            raise Invalid("the patient has too many requests")
        return await checked(market, requests, *others, **more)

    monkeypatch.setattr(standing.service.requests.duplicates, "checked", full)
    await standing.order(dialysis())
    await standing.fire()
    view = await standing.view()
    assert [(each.day, each.code) for each in view.left_out] == [(day, "invalid_request")]
    assert {FIRST, FIRST + timedelta(days=5)} <= {each.day for each in view.made}
    found, _ = await standing.service.tasks.page(standing.ops, standing.market, TaskQuery())
    told = [(each.id, each.kind, each.standing_order_id, each.request_id, each.code) for each in found]
    name = f"{made_id('dialysis', day)}.occurrence_missing"
    assert told == [(name, TaskKind.OCCURRENCE_MISSING, "dialysis", "", "invalid_request")]
    assert (await audit(standing.store.reader, standing.market))["findings"] == []


async def test_an_order_that_is_changed_counts_for_what_is_not_made_and_tells_what_is(
    standing: Standing,
) -> None:
    first = await standing.order(dialysis())
    await standing.fire()
    made = await standing.made()
    with pytest.raises(Stale):
        await standing.order(dialysis(rule="FREQ=DAILY"), first.version)
    current = await standing.view()
    assert await standing.order(dialysis(), 0) == current, "the same once more is no change"
    changed = await standing.order(dialysis(rule="FREQ=WEEKLY;BYDAY=TU,WE"), current.version)
    assert sorted(name for each in changed.made for name in each.request_ids) == made
    assert [str(each.day) for each in changed.next[:3]] == ["2026-03-10", "2026-03-17", "2026-03-18"]
    await standing.fire()
    assert set(await standing.made()) - set(made) == {"dialysis-20260310", "dialysis-20260310-r"}


async def test_a_pause_makes_nothing_and_what_passes_meanwhile_is_not_made(standing: Standing) -> None:
    await standing.order(dialysis())
    await standing.give(PauseStandingOrder)
    standing.clock.ms += 8 * DAY_MS
    await standing.fire()
    assert await standing.made() == []
    await standing.give(ResumeStandingOrder)
    await standing.fire()
    assert (await standing.made())[0] == "dialysis-20260311"
    await standing.give(EndStandingOrder)
    with pytest.raises(WrongState, match="has ended"):
        await standing.give(ResumeStandingOrder)


async def test_one_occurrence_is_skipped_or_at_another_time_unless_it_was_made(standing: Standing) -> None:
    await standing.order(dialysis())
    await standing.give(SkipStandingOrder, day=date(2026, 3, 4))
    await standing.give(ShiftStandingOrder, day=date(2026, 3, 6), minutes=90)
    with pytest.raises(Invalid, match="no occurrence on 2026-03-05: the next is on 2026-03-06"):
        await standing.give(SkipStandingOrder, day=date(2026, 3, 5))
    await standing.fire()
    assert (await standing.made())[0] == "dialysis-20260306"
    requests = standing.store.market(standing.market).requests
    window = (await requests.expected_body("dialysis-20260306-r")).wished_window
    assert window is not None
    assert window.earliest.astimezone(TZ).strftime("%H:%M") == "13:00"
    with pytest.raises(WrongState, match="made as dialysis-20260306"):
        await standing.give(SkipStandingOrder, day=date(2026, 3, 6))


async def test_nobody_is_served_twice_at_a_time_by_one_occurrence_that_is_later(standing: Standing) -> None:
    await standing.order(dialysis(rule="FREQ=DAILY;COUNT=4"))
    with pytest.raises(Invalid, match="of 2026-03-05 would be 0 minutes from that of 2026-03-06"):
        await standing.give(ShiftStandingOrder, day=date(2026, 3, 5), minutes=1440)
    await standing.give(ShiftStandingOrder, day=date(2026, 3, 6), minutes=60)
    await standing.give(ShiftStandingOrder, day=date(2026, 3, 5), minutes=1440)
    await standing.fire()
    assert (await standing.view()).state is StandingOrderState.ENDED
    with pytest.raises(WrongState, match="made as dialysis-20260305") as refused:
        await standing.give(SkipStandingOrder, day=date(2026, 3, 5))
    assert "Maybe change or cancel that request itself." in refused.value.detail, "all that is left to do"


async def test_a_will_call_back_goes_along_when_its_ride_there_is_a_day_later(standing: Standing) -> None:
    await standing.order(dialysis(return_ride=called_back()))
    await standing.give(ShiftStandingOrder, day=FIRST, minutes=1500)
    await standing.give(ShiftStandingOrder, day=date(2026, 3, 9), minutes=90)
    await standing.fire()
    for name, day in (("dialysis-20260304-r", "2026-03-05"), ("dialysis-20260309-r", "2026-03-09")):
        back = await standing.record(name)
        assert str(datetime.fromtimestamp(back.earliest_ms / 1000, TZ))[:10] == day


@pytest.mark.parametrize(("clock", "begins"), [((2, 30), (3, 0)), ((1, 50), (1, 50)), ((2, 45), (3, 0))])
async def test_a_window_that_ends_in_the_hour_that_the_clock_skips_is_as_wide_as_ever(
    standing: Standing, clock: tuple[int, int], begins: tuple[int, int]
) -> None:
    at = datetime(2026, 3, 7, *clock, tzinfo=TZ)
    await standing.order(dialysis(request=leg(at), rule="FREQ=DAILY;COUNT=2", return_ride=None))
    window = (await standing.view()).next[1].window
    assert window.earliest == datetime(2026, 3, 8, *begins, tzinfo=TZ)
    assert window.latest - window.earliest == timedelta(minutes=15)


async def test_a_ride_back_may_be_a_will_call_of_each_day(standing: Standing) -> None:
    await standing.order(dialysis(return_ride=called_back()))
    await standing.fire()
    assert len(await standing.made()) == 6, "the rides there; nobody has called for the others"
    for name, hours in (("dialysis-20260304-r", 24), ("dialysis-20260309-r", 24)):
        back = await standing.record(name)
        assert (back.waits_for_call, back.latest_ms - back.earliest_ms) == (True, hours * 3_600_000)
        assert str(datetime.fromtimestamp(back.earliest_ms / 1000, TZ))[:10].replace("-", "") in name


async def test_each_ride_back_is_that_of_its_days_ride_there_and_is_not_made_without_it(
    standing: Standing,
) -> None:
    await standing.order(dialysis(return_ride=called_back()))
    await standing.fire()
    assert (await standing.record("dialysis-20260306-r")).return_of == "dialysis-20260306"
    await standing.cancel(standing.platform, "dialysis-20260306")
    back = await standing.record("dialysis-20260306-r")
    assert (back.state, back.history[-1].code) == (RequestState.CANCELLED, "outbound_cancelled")
    assert (await standing.record("dialysis-20260309-r")).waits_for_call


async def test_a_ride_back_whose_ride_there_is_a_duplicate_is_made_by_itself(standing: Standing) -> None:
    await standing.submit(replace(leg(START), id="by-phone"))
    await standing.order(dialysis(return_ride=called_back()))
    await standing.fire()
    assert "dialysis-20260304" not in await standing.made()
    assert not (await standing.record("dialysis-20260304-r")).return_of


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"rule": "FREQ=WEEKLY;BYDAY=MO"}, "the first request is on 2026-03-04, which the rule"),
        ({"rule": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "nor any other in nine years\nMaybe its UNTIL"),
        ({"except_days": (date(2026, 3, 5),)}, "2026-03-05, a Thursday, is no day of the rule"),
        ({"shifts": (Shift(day=date(2026, 3, 8), minutes=5),)}, "2026-03-08, a Sunday, is no day of"),
        (
            {"shifts": (Shift(day=date(2026, 3, 4), minutes=2 * 1440 - 29),)},
            "of 2026-03-04 would be 29 minutes from that of 2026-03-06",
        ),
        ({"return_ride": leg(START + HOUR, make.patient("other"))}, "is another patient's"),
        ({"rule": "FREQ=MINUTELY"}, "daily is most"),
        ({"return_ride": leg(START)}, "the ride back begins at"),
        ({"return_ride": called_back(date(2026, 3, 5))}, "Maybe of the day there: 2026-03-04"),
        ({"return_ride": replace(leg(START), return_of="r0")}, "names its leg there"),
        ({"request": replace(leg(START), return_of="r0")}, "names its leg there"),
        ({"request": replace(leg(START), after=(After(request="r0"),))}, "names what goes before it"),
        ({"return_ride": replace(leg(START), episode="e1")}, "names an episode"),
        ({"holidays": Holidays(country="XX")}, "holidays of XX are not known"),
        (
            {"except_days": (date(2026, 3, 4),), "rule": f"{RULE};COUNT=1"},
            "has no occurrence from 2026-03-02",
        ),
    ],
)
async def test_an_order_that_cannot_be_meant_is_refused_in_words(
    standing: Standing, changes: dict[str, object], wrong: str
) -> None:
    with pytest.raises(Invalid, match=wrong):
        await standing.order(dialysis(**changes))
    assert await standing.store.market(standing.market).standing_orders.records.next_due_ms() is None


async def test_an_order_ends_with_its_last_occurrence_and_is_forgotten_in_the_end(standing: Standing) -> None:
    await standing.order(dialysis(rule=f"{RULE};COUNT=3", return_ride=None))
    await standing.fire()
    assert len(await standing.made()) == 3
    assert (await standing.view()).state is StandingOrderState.ENDED
    records = standing.store.market(standing.market).standing_orders.records
    due_ms = await records.next_due_ms()
    assert due_ms == to_ms(datetime(2026, 3, 10, tzinfo=TZ)) + 3 * DAY_MS
    standing.clock.ms = due_ms
    await standing.fire()
    assert await records.get("dialysis") is None


async def test_holidays_are_left_out_and_said(standing: Standing) -> None:
    standing.clock.ms = to_ms(datetime(2026, 12, 20, tzinfo=TZ))
    at = datetime(2026, 12, 21, 8, tzinfo=TZ)
    free = Holidays(country="US", then=OnHoliday.PREVIOUS)
    await standing.order(StandingOrder(request=leg(at), rule="FREQ=WEEKLY;BYDAY=MO,FR", holidays=free))
    await standing.fire()
    requests = standing.store.market(standing.market).requests
    window = (await requests.expected_body("dialysis-20261225")).wished_window
    assert window is not None
    assert window.earliest.astimezone(TZ).isoformat() == "2026-12-24T08:00:00-05:00"
    assert (await standing.view()).left_out == ()


async def test_the_vendor_that_took_the_last_one_is_preferred_for_the_next(standing: Standing) -> None:
    await standing.order(dialysis(return_ride=None))
    await standing.open_with(make.vendor("v1"))
    await standing.fire()
    record = await standing.record("dialysis-20260304")
    body = await standing.body("dialysis-20260304")
    assert body.preferred_vendors == ()
    plan = make.proposal(record, make.vendor("v1"))
    outcome = await standing.put(record, body, plan, standing.fence)
    assert outcome is not None
    assert outcome.ok
    await standing.accept(standing.someone(Role.VENDOR, "v1"), "dialysis-20260304.1", Accept())
    standing.clock.ms += 2 * DAY_MS
    await standing.fire()
    assert (await standing.body("dialysis-20260318")).preferred_vendors == ("v1",)


async def test_equipment_comes_again_within_its_rental_by_order(standing: Standing) -> None:
    order = EquipmentOrder(
        id="dialysis",
        place=make.equipment().place,
        window=Window(earliest=START, latest=START + timedelta(hours=2)),
        lines=(OrderLine(hcpcs="E0443"),),
        patient=make.patient("one"),
    )
    await standing.order(StandingOrder(request=order, rule="FREQ=WEEKLY"))
    await standing.fire()
    assert await standing.made() == ["dialysis-20260304", "dialysis-20260311"]


async def test_what_lies_sealed_in_an_order_moves_to_the_current_key_by_itself(standing: Standing) -> None:
    await standing.order(dialysis())
    await standing.give(PauseStandingOrder)
    ring = PatientKeyFile("b", standing.store.vault.ring.keys | {"b": bytes(32)})
    async with Store(standing.store.url, ring) as store:
        later = Standing(store, standing.market)
        later.clock.ms += 31 * DAY_MS
        await later.fire()
    async with Store(standing.store.url, PatientKeyFile("b", {"b": bytes(32)})) as store:
        last = Standing(store, standing.market)
        record = await last.service.standing_orders.get(last.platform, last.market, "dialysis")
        assert {key_of_body(each) for each in (record.request, record.return_ride)} == {"b"}
        assert (await last.view()).order.request.patient is None
