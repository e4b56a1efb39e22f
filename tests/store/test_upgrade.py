"""An upgrade: over all that the version before stored of a market, the new service goes on."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from contracts.codes import DeclineCode, RequestState, Requirement, Role, TrackingStatus
from contracts.instants import MINUTE_MS
from contracts.ledger import LEDGER_BUCKETS
from contracts.requests import TripRequest
from contracts.tasks import TaskKind, TaskState
from dispatcher.audit.auditor import audit
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.cancel import CancelRequest
from dispatcher.domain.commands.decline import DeclineOffer
from dispatcher.domain.commands.on_hold import HoldRequest, ResumeRequest
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.table import Command
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.rights import ALONE
from dispatcher.domain.scorecards import Outcome, shares
from dispatcher.jobs.timers import Timers
from dispatcher.security.principal import Principal
from dispatcher.security.vault import Vault
from dispatcher.service.service import Service
from dispatcher.store import ledger
from dispatcher.store.bodies import HIDDEN, Bodies
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.keys import Keys
from dispatcher.store.ledger import LedgerKey
from dispatcher.store.market import MarketStore
from dispatcher.store.outcome import Status
from dispatcher.store.store import Store
from dispatcher.tuning.registry import Registry
from tests.clock import ManualClock
from tests.store import old_market
from tests.store.conftest import RING
from tests.store.made import received, trip
from tests.store.old_market import END_MS, NOW_MS, START_MS
from tests.store.test_formats import format_number

S, T = RequestState, TrackingStatus
DAY = date(2026, 3, 2)
FORGET_MS = END_MS + 72 * 60 * MINUTE_MS  # of what ended in the ride's time
NAMES = sorted(key.removeprefix("r:") for key in old_market.DOCUMENTS if key.startswith("r:"))


class Upgraded:
    """The old market under the new service, with a clock that a test moves."""

    def __init__(self, store: Store, market: MarketStore) -> None:
        self.store, self.market, self.clock = store, market, ManualClock(NOW_MS + 10 * MINUTE_MS)
        self.service = Service(store, self.clock, {market.name: ZoneInfo("UTC")}, Registry.found())
        self.timers = Timers(self.service)

    async def give(self, command: Command, vendor_id: str = "") -> RequestRecord:
        """A command of that vendor, or of who may do all else."""
        roles = {Role.VENDOR} if vendor_id else set(Role) - ALONE
        who = Principal.of(*roles, markets=None, vendor_id=vendor_id)
        after = await self.service.execute(who, self.market.name, command)
        assert isinstance(after, RequestRecord)
        return after

    async def findings(self) -> list[dict[str, str]]:
        report = await audit(self.store.reader, self.market.name, NAMES, streams=True)
        return [each for each in report["findings"] if each["rule"] != "told"]  # old_market has no streams

    async def booked(self, vendor_id: str) -> int:
        """What counts against the vendor's day."""
        key = LedgerKey(vendor_id, "vans", DAY.isoformat())
        return ledger.unpack((await self.market.capacity.ledger([key]))[key].used)[0]


@pytest.fixture
async def upgraded(store: Store, market: MarketStore, raw: Redis, keys: Keys) -> Upgraded:
    await old_market.restore(raw, keys)
    return Upgraded(store, market)


async def test_old_requests_stand_where_they_stood(upgraded: Upgraded) -> None:
    requests = upgraded.market.requests
    page = await requests.page(None, None, 100)
    assert sorted(each.id for each in page.records) == NAMES
    counts = await requests.counts()
    assert {state.value: count for state, count in counts.items() if count != 1} == {
        "offered": 2,
        "on_hold": 2,
    }
    assert await requests.open_ids(10) == ["matching", "received"]
    assert await requests.offer_ids("v1") == ["in_progress.1", "offered.1", "overdue.1"]
    assert await requests.offer_ids("v2") == ["returned.2"]
    assert await requests.records.due(START_MS, 10) == ["offered", "returned"]


async def test_the_audit_is_sound_over_old_and_new_side_by_side(upgraded: Upgraded) -> None:
    assert await upgraded.findings() == [], "old ends have no task, and that is no fault"
    assert (await upgraded.market.commit([received("new")], requests=[trip("new")])).ok
    assert await upgraded.findings() == []


GOES_ON = {  # what is asked of each: by which vendor, where it is then
    "received": (HoldRequest(request_id="received", requirement=Requirement.AUTHORIZATION), "", S.ON_HOLD),
    "on_hold": (ResumeRequest(request_id="on_hold"), "", S.RECEIVED),
    "held_twice": (
        ResumeRequest(request_id="held_twice", requirement=Requirement.PREDECESSOR),
        "",
        S.ON_HOLD,
    ),
    "matching": (CancelRequest(request_id="matching"), "", S.CANCELLED),
    "offered": (AcceptOffer(offer_id="offered.1", reference="N-1"), "v1", S.ACCEPTED),
    "returned": (DeclineOffer(offer_id="returned.2", code=DeclineCode.OTHER), "v2", S.MATCHING),
    "overdue": (ReportStatus(offer_id="overdue.1", status=T.AT_PICKUP), "v1", S.IN_PROGRESS),
    "in_progress": (ReportStatus(offer_id="in_progress.1", status=T.COMPLETED), "v1", S.COMPLETED),
}


@pytest.mark.parametrize("name", GOES_ON)
async def test_each_goes_on_by_a_command_and_is_written_in_the_new_form(
    upgraded: Upgraded, raw: Redis, keys: Keys, name: str
) -> None:
    command, vendor, state = GOES_ON[name]
    if isinstance(command, ReportStatus):
        upgraded.clock.ms = END_MS + MINUTE_MS  # what ended before stands in no statement
    before = await upgraded.market.requests.records.get(name)
    assert format_number(await raw.get(keys.record(REQUEST_KIND, name))) is None
    after = await upgraded.give(command, vendor)
    assert before is not None
    assert (after.state, after.version) == (state, before.version + 1)
    assert after.history[:-1] == before.history
    assert format_number(await raw.get(keys.record(REQUEST_KIND, name))) == 4
    assert await upgraded.market.requests.records.get(name) == after
    assert await upgraded.findings() == []


async def test_a_report_that_was_missed_before_is_forgiven_when_it_comes(upgraded: Upgraded) -> None:
    upgraded.clock.ms = START_MS + 65 * MINUTE_MS
    after = await upgraded.give(ReportStatus(offer_id="overdue.1", status=T.AT_PICKUP), "v1")
    assert after.dispatch is not None
    assert (after.status, after.dispatch.overdue) == (T.AT_PICKUP, 0)
    assert after.dispatch.arrived_ms == upgraded.clock.ms


async def test_a_repeated_report_of_before_changes_nothing(upgraded: Upgraded) -> None:
    before = await upgraded.market.requests.records.get("in_progress")
    assert await upgraded.give(ReportStatus(offer_id="in_progress.1", status=T.EN_ROUTE), "v1") == before


async def test_what_a_vendor_gives_back_is_free(upgraded: Upgraded) -> None:
    assert (await upgraded.booked("v1"), await upgraded.booked("v2")) == (6, 1)
    await upgraded.give(DeclineOffer(offer_id="returned.2", code=DeclineCode.OTHER), "v2")
    await upgraded.give(CancelRequest(request_id="offered"))
    assert (await upgraded.booked("v1"), await upgraded.booked("v2")) == (5, 0)


async def test_the_timers_of_before_fire_and_what_needs_a_person_has_its_task(upgraded: Upgraded) -> None:
    upgraded.clock.ms = END_MS
    assert await upgraded.timers.fire_due(upgraded.market.name) > 0
    matching = await upgraded.market.requests.records.get("matching")
    assert matching is not None
    assert matching.state is S.UNMATCHED
    assert matching.tasks == (f"matching.{TaskKind.UNMATCHED.value}",)
    assert await upgraded.market.tasks.records.get(matching.tasks[0]) is not None
    assert await upgraded.findings() == []


async def test_what_was_overdue_before_has_its_task_at_the_next_miss_and_only_one(upgraded: Upgraded) -> None:
    tasks = upgraded.market.tasks.records
    for misses in (3, 4):
        overdue = await upgraded.market.requests.records.get("overdue")
        assert overdue is not None
        upgraded.clock.ms = overdue.timer_ms
        while await upgraded.timers.fire_due(upgraded.market.name):
            pass
        overdue = await upgraded.market.requests.records.get("overdue")
        assert overdue is not None
        assert overdue.dispatch is not None
        assert overdue.dispatch.overdue == misses
        (name,) = overdue.tasks
        task = await tasks.get(name)
        assert task is not None
        assert (task.kind, task.offer_id) == (TaskKind.OVERDUE, "overdue.1")
    await upgraded.give(ReportStatus(offer_id="overdue.1", status=T.AT_PICKUP), "v1")
    task = await tasks.get(name)
    assert task is not None
    assert task.state is TaskState.DONE, "the report settles it"
    assert await upgraded.findings() == []


async def test_what_ended_before_is_forgotten_when_its_time_is_over(upgraded: Upgraded) -> None:
    upgraded.clock.ms = FORGET_MS
    ended = ("completed", "failed", "no_show", "unmatched", "cancelled")
    await upgraded.timers.fire_due(upgraded.market.name)
    assert await upgraded.market.requests.records.get_all(ended) == {}
    assert await upgraded.market.requests.bodies(ended) == {}
    report = await audit(upgraded.store.reader, upgraded.market.name)
    assert report["findings"] == []


async def test_bodies_and_patients_are_read(upgraded: Upgraded) -> None:
    bodies = await upgraded.market.requests.bodies(NAMES)
    assert sorted(bodies) == NAMES
    held = bodies["on_hold"]
    assert isinstance(held, TripRequest)
    assert held.requirements == (Requirement.PREDECESSOR,)
    form = Bodies(Vault(RING), old_market.MARKET)
    for name in NAMES:
        raw = old_market.stored(f"b:{name}")
        patient = form.patient(raw)
        assert patient is not None
        assert patient.name == "Canary Nightingale"
        assert form.request(raw).doors == bodies[name].doors != (HIDDEN, HIDDEN)


async def test_vendors_postings_and_ledgers_are_read(upgraded: Upgraded) -> None:
    vendors = await upgraded.market.vendors.get_all()
    assert [(each.version, each.value.name) for each in vendors.values()] == [
        (1, "Vendor v1"),
        (1, "Vendor v2"),
    ]
    postings = await upgraded.market.capacity.get_all([DAY])
    assert list(postings) == [("v1", "2026-03-02"), ("v2", "2026-03-02")]
    assert {each.changed_ms for each in postings.values()} == {NOW_MS - 60 * MINUTE_MS}
    key = LedgerKey("v1", "vans", "2026-03-02")
    limit, used = map(ledger.unpack, (await upgraded.market.capacity.ledger([key]))[key])
    assert set(limit[1 : 1 + LEDGER_BUCKETS]) == {20}
    assert [at for at, units in enumerate(used[1:]) if units] == [*range(144, 150)]


async def test_a_command_that_was_committed_before_is_known(upgraded: Upgraded) -> None:
    same, other = (IdempotencyRecord.of("platform", "received", body) for body in (b"body", b"another"))
    again = await upgraded.market.commit(
        [received("received")], requests=[trip("received")], idempotency=same
    )
    assert (again.status, again.answer) == (Status.DUPLICATE, b"202 received")
    assert (await upgraded.market.remember(other)).status is Status.REUSED


async def test_tuning_is_in_force_under_the_present_names(upgraded: Upgraded) -> None:
    tuning = await upgraded.market.tuning.get()
    assert (tuning.version, tuning.by, tuning.reason) == (1, "ops", "spring")
    assert tuning.values == {
        "imminent_lead_minutes": 90,
        "batch_timeout_s": 4.0,
        "batch_timeout_share": 0.2,
        "scorecard_cents": 250,
        "scorecard_unknown": 0.9,
        "scorecard_least_works": 10,
        "offer_minimum_s": 60,
    }
    declared = {each.name for each in upgraded.service.registry.view(tuning).parameters}
    assert tuning.values.keys() <= declared, "each of them is one that is read"
    values = tuning.values | {"offer_minimum_s": 90}
    assert await upgraded.market.tuning.put(replace(tuning, version=2, values=values)) == 2
    assert (await upgraded.market.tuning.get()).values == values


async def test_what_was_counted_of_a_vendors_work_counts_on(upgraded: Upgraded) -> None:
    """Marks said no more than well or badly; outcomes are counted beside them, under the same vendor."""
    scorecards = upgraded.market.scorecards
    assert await scorecards.of(["2026-03"]) == {"v1": {Outcome.ON_TIME: 2, Outcome.LATE: 3}}
    upgraded.clock.ms = START_MS + 25 * MINUTE_MS
    await upgraded.give(ReportStatus(offer_id="in_progress.1", status=T.COMPLETED), "v1")
    after = await scorecards.of(["2026-03"])
    assert after == {"v1": {Outcome.ON_TIME: 3, Outcome.LATE: 3}}
    assert shares(after, {"scorecard_least_works": 6}) == {"v1": 0.5}
