"""One item that cannot be read is set aside, named once and given to a person; everything else goes on."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from structlog.testing import capture_logs

from contracts.codes import RequestState
from contracts.instants import HOUR_MS
from contracts.offers import Accept
from contracts.paging import Cursor
from contracts.patients import Patient
from contracts.proofs import NotSigned, ProofPart, ProofReport, Signature
from contracts.tasks import OwnerRole, TaskKind, TaskOutcome, TaskQuery, TaskState
from contracts.threads import About
from contracts.tuning import TuningUpdate
from dispatcher.domain.refusals import Invalid, Unreadable
from dispatcher.domain.request_kind import REQUEST_KIND, index_of, offers_of
from dispatcher.domain.tasks import TASK_KIND
from dispatcher.jobs import put_off
from dispatcher.jobs.timers import BATCH, Timers
from dispatcher.jobs.unreadable import tell_unreadable
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.security.rings import Ring, prints_of
from dispatcher.service.read_again import settle
from dispatcher.store.aside import Item
from dispatcher.store.idempotency import IdempotencyRecord
from dispatcher.store.keys import CAPACITIES
from tests.domain import make
from tests.service.world import DAY, World

CUT = bytes(5)  # a document that ends within its head
OF_2101 = "2100-12-31T23:00:00-10:00"


async def overwrite(world: World, key: str, content: bytes = CUT) -> None:
    await world.store.reader.ask("SET", key, content)


async def spoil(world: World, key: str) -> None:
    """Keep the version; what follows is nothing."""
    await world.store.reader.ask("SETRANGE", key, 4, b"\xc1" * 40)


@contextlib.asynccontextmanager
async def telling(world: World) -> AsyncIterator[None]:
    job = asyncio.create_task(tell_unreadable(world.service, world.market))
    try:
        yield
    finally:
        job.cancel()
        await asyncio.gather(job, return_exceptions=True)


async def until(found: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await found():
            await asyncio.sleep(0.01)


async def counted(world: World, what: str) -> int:
    return (await world.store.market(world.market).troubles.counts()).get(what, 0)


async def test_a_body_that_cannot_be_read_is_named_once_and_becomes_a_task(world: World) -> None:
    await world.open_with()
    await world.submit(make.trip("good"), make.trip("bad"))
    await overwrite(world, world.keys.body(REQUEST_KIND, "bad"))
    requests = world.store.market(world.market).requests
    with capture_logs() as lines:
        for _ in range(3):
            assert list(await requests.bodies(["bad", "good"])) == ["good"]
            with pytest.raises(Unreadable, match="body bad is stored and cannot be read"):
                await requests.body("bad")
    assert [(line["event"], line["kind"], line["id"]) for line in lines] == [("unreadable", "body", "bad")]
    async with telling(world):
        await until(lambda: has_task(world, "bad"))
    assert await counted(world, "unreadable:body") == 1
    task = await world.store.market(world.market).tasks.records.get("bad.unreadable")
    assert task is not None
    assert (task.kind, task.owner, task.code) == (TaskKind.UNREADABLE, OwnerRole.OPS, "body")
    record = await world.record("bad")
    assert record.tasks == ("bad.unreadable",)


async def has_task(world: World, request_id: str) -> bool:
    return await world.store.market(world.market).tasks.records.get(f"{request_id}.unreadable") is not None


async def test_the_task_is_opened_once_by_however_many_processes(world: World) -> None:
    await world.open_with()
    await world.submit(make.trip("bad"))
    for _ in range(3):
        world.store.aside.note(world.market, Item("body", "bad"), "test")
        world.store.aside._known.clear()  # as another process, which knows nothing of it
    async with telling(world):
        await until(lambda: counts(world, "unreadable:body", 3))
    assert (await world.heard(world.keys.events)).count("dispatch.task.opened") == 1
    assert (await world.record("bad")).version == 2


async def counts(world: World, what: str, times: int) -> bool:
    return await counted(world, what) == times


async def test_a_record_that_cannot_be_read_is_told_to_who_asks_and_left_out_of_listings(
    world: World,
) -> None:
    await world.open_with()
    await world.submit(make.trip("good"), make.trip("bad"))
    await spoil(world, world.keys.record(REQUEST_KIND, "bad"))
    requests = world.service.requests
    views, cursor = await requests.page(world.platform, world.market, None, None, 10)
    assert ([each.id for each in views], cursor) == (["good"], None)
    with pytest.raises(Unreadable) as refused:
        await requests.view(world.platform, world.market, "bad")
    assert (refused.value.status, refused.value.facts["id"]) == (500, "bad")
    with pytest.raises(Invalid, match="is no cursor"):
        await requests.page(world.platform, world.market, None, "nonsense", 10)
    async with telling(world):
        await until(lambda: has_task(world, "bad"))
    tasks, _ = await world.service.tasks.page(world.ops, world.market, TaskQuery(state=TaskState.OPEN))
    assert [(each.id, each.code) for each in tasks] == [("bad.unreadable", "request")]


async def test_a_task_that_cannot_be_read_stops_neither_its_request_nor_the_list(world: World) -> None:
    await world.open_with()
    await world.submit(make.trip("r1"), make.trip("r2"))
    world.clock.ms += 6 * HOUR_MS
    assert await Timers(world.service).fire_due(world.market) == 2
    await spoil(world, world.keys.record(TASK_KIND, "r1.unmatched"))
    tasks, _ = await world.service.tasks.page(world.ops, world.market, TaskQuery())
    assert [each.id for each in tasks] == ["r2.unmatched"]
    world.clock.ms += 100 * 24 * HOUR_MS
    fired = Timers(world.service)
    while await fired.fire_due(world.market):
        pass
    assert await world.store.market(world.market).requests.records.get("r1") is None


async def test_a_vendor_and_a_posting_that_cannot_be_read_leave_the_others_and_are_written_over(
    world: World,
) -> None:
    await world.open_with(make.vendor("v1"), make.vendor("v2"))
    stored = world.store.market(world.market)
    await spoil(world, world.keys.vendor("v1"))
    await spoil(world, world.keys.capacity("v2", DAY.isoformat()))
    assert list(await stored.vendors.get_all()) == ["v2"]
    assert list(await stored.capacity.get_all([DAY])) == [("v1", DAY.isoformat())]
    with pytest.raises(Unreadable) as refused:
        await world.service.vendors.get(world.ops, world.market, "v1")
    assert refused.value.facts == {"kind": "vendor", "id": "v1", "version": 1}
    with pytest.raises(Unreadable, match=f"posting v2:{DAY}"):
        await world.service.capacity.get(world.ops, world.market, "v2", DAY)
    assert await world.service.vendors.put(world.ops, world.market, make.vendor("v1"), 1) == 2
    posting = (await stored.capacity.get_all([DAY]))["v1", DAY.isoformat()].value
    put = world.service.capacity.put
    assert await put(world.ops, world.market, "v2", DAY, posting, expected_version=1) == 2
    assert list(await stored.vendors.get_all()) == ["v1", "v2"]


async def test_a_document_that_was_cut_within_its_version_is_refused_not_tried_for_ever(world: World) -> None:
    await world.open_with(make.vendor("v1"))
    await overwrite(world, world.keys.vendor("v1"), b"\0\0")
    async with asyncio.timeout(5):
        with pytest.raises(Unreadable):
            await world.store.market(world.market).vendors.put(make.vendor("v1"))


async def test_tuning_that_cannot_be_read_stays_in_force_as_it_was_last_read(world: World) -> None:
    update = TuningUpdate(values={"max_attempts": 3})
    await world.service.tuning.put(world.ops, world.market, update, 0)
    assert (await world.service.markets.tuning(world.market)).values == {"max_attempts": 3}
    await spoil(world, world.keys.tuning)
    world.service.markets.forget_tuning(world.market)
    assert (await world.service.markets.tuning(world.market)).values == {"max_attempts": 3}
    with pytest.raises(Unreadable) as refused:
        await world.service.tuning.get(world.ops, world.market)
    assert refused.value.facts["version"] == 1
    made = await world.service.tuning.put(world.ops, world.market, TuningUpdate(values={}), 1)
    assert made.version == 2


async def test_a_patient_block_whose_key_is_gone_is_named_and_a_comment_left_out(world: World) -> None:
    await world.open_with()
    await world.submit(make.trip("bad", patient=Patient(name="Canary Wren")))
    stored = world.store.market(world.market)
    raw = await world.store.reader.get(world.keys.body(REQUEST_KIND, "bad"))
    assert raw is not None
    await overwrite(world, world.keys.body(REQUEST_KIND, "bad"), raw[:-1] + b"x")
    with pytest.raises(Unreadable, match="patient bad") as refused:
        await stored.requests.patient("bad")
    assert "Canary" not in str(refused.value)
    assert stored.tasks.open("bad.unmatched", b"\x03dev" + bytes(40)) == "(this comment cannot be read)"


async def test_an_instant_that_an_earlier_version_took_is_set_aside(world: World) -> None:
    """As it was found: 202, then refused on reading."""
    await world.open_with()
    await world.submit(make.trip("good"), make.trip("bad"))
    stored = world.store.market(world.market).requests
    late = make.trip("bad", patient=None)
    odd = codec_of(late, OF_2101)
    await overwrite(world, world.keys.body(REQUEST_KIND, "bad"), odd)
    assert list(await stored.bodies(["bad", "good"])) == ["good"]


def codec_of(request: object, latest: str) -> bytes:
    """The body with a window that ends then, as it was stored."""
    values = msgspec.to_builtins(request)
    values["pickup_window"]["latest"] = datetime.fromisoformat(latest)
    body = msgspec.msgpack.encode(values)
    return len(body).to_bytes(3, "big") + body


async def test_what_cannot_be_fired_does_not_starve_the_timers_behind_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(put_off, "FIRST_PAUSE_S", 3_600.0)  # however slow this machine, it is not over yet
    await world.open_with()
    spoiled = [f"a{number:03}" for number in range(BATCH)]
    await world.submit(*(make.trip(each) for each in spoiled))
    await world.submit(make.trip("good", ahead_ms=5 * HOUR_MS), key="k2", body=b"2")
    for each in spoiled:
        await spoil(world, world.keys.record(REQUEST_KIND, each))
    world.clock.ms += 7 * HOUR_MS
    timers = Timers(world.service)
    fired = [await timers.fire_due(world.market) for _ in range(2)]
    assert fired == [0, 1]
    assert (await world.record("good")).state == "unmatched"
    assert timers._rest_s(world.market, REQUEST_KIND) >= 0.5  # what is put off makes nobody hurry


async def test_a_vendors_offers_are_listed_without_the_one_that_cannot_be_read(world: World) -> None:
    await world.accepted()
    await world.submit(make.trip("r2"), key="k2", body=b"2")
    assert (await world.offer("r2")).ok
    await spoil(world, world.keys.record(REQUEST_KIND, "r1"))
    offers = await world.service.offers.of_vendor(world.vendor(), world.market, "v1")
    assert [each.id for each in offers] == ["r2.1"]
    assert (await world.accept(world.vendor(), "r2.1", Accept())).state == "accepted"


async def test_the_body_of_a_request_that_has_ended_becomes_a_task_too(world: World) -> None:
    await world.open_with()
    await world.submit(make.trip("bad"))
    await world.cancel(world.platform, "bad")
    world.store.aside.note(world.market, Item("body", "bad"), "test")
    async with telling(world):
        await until(lambda: has_task(world, "bad"))
    assert (await world.record("bad")).version == 2  # as it ended


async def test_a_key_that_only_this_process_lacks_makes_no_task_and_all_is_read_once_it_comes(
    world: World,
) -> None:
    await world.open_with()
    await world.submit(make.trip("r1"))
    store, ring, rings = world.store, world.store.vault.ring, world.store.market(world.market).rings
    other = Ring("web there:1", ring.current, prints_of(ring))
    store.vault.take(PatientKeyFile("new", {"new": bytes(32)}))
    requests = store.market(world.market).requests
    for others, has_one in (([other], False), ([], True)):
        store.aside.forget_keyless()
        for each in others:
            await rings.announce(each, 60_000)
        await store.agreement.reach(world.market, rings)
        assert await requests.bodies(["r1"]) == {}
        async with telling(world):
            await until(lambda: counts(world, "unreadable:body", 2 if has_one else 1))  # noqa: B023
            await until(lambda: has_task_is(world, "r1", has_one))  # noqa: B023
        for each in others:
            await rings.leave(each)
    assert await settle(world.service.executor, world.market) == 0
    store.vault.take(ring)
    assert await settle(world.service.executor, world.market) == 1
    assert list(await requests.bodies(["r1"])) == ["r1"]


async def test_a_task_ends_once_all_of_its_request_can_be_read_and_is_opened_again_if_it_cannot(
    world: World,
) -> None:
    await world.accepted()
    tasks, ask = world.store.market(world.market).tasks.records, world.store.reader.ask
    key = world.keys.record(REQUEST_KIND, "r1")
    whole = await ask("DUMP", key)
    for _ in range(2):
        await spoil(world, key)
        assert await world.store.market(world.market).requests.records.get_all(["r1"]) == {}
        async with telling(world):
            await until(lambda: is_open(world, "r1.unreadable"))
        assert await settle(world.service.executor, world.market) == 0
        await ask("RESTORE", key, 0, whole, "REPLACE")
        assert await settle(world.service.executor, world.market) == 1
    task = await tasks.get("r1.unreadable")
    assert task is not None
    assert (task.outcome, task.ended_ms) == (TaskOutcome.SETTLED, world.clock.ms)
    heard = await world.heard(world.keys.events)
    assert [each for each in heard if "task" in each] == ["dispatch.task.opened", "dispatch.task.done"] * 2


async def _comment(world: World) -> None:
    await world.service.tasks.comment(world.ops, world.market, "r1.unreadable", by="ops", text="why?")


async def _prove(world: World) -> None:
    said = ProofReport(part=ProofPart.PICKUP, signature=Signature(refused=NotSigned.UNABLE))
    await world.service.proofs.give(world.vendor(), world.market, "r1.1", said, None)


async def _write(world: World) -> None:
    at, key = (world.market, About.DISPATCH, "r1.1"), IdempotencyRecord.of("thread", "1", b"")
    await world.service.threads.post(world.platform, *at, text="hello", idempotency=key)


@pytest.mark.parametrize("say", [_comment, _prove, _write])
async def test_a_task_stays_while_a_word_beside_its_request_cannot_be_read(
    world: World, say: Callable[[World], Awaitable[None]]
) -> None:
    await world.accepted()
    world.store.aside.note(world.market, Item("body", "r1"), "test")
    async with telling(world):
        await until(lambda: is_open(world, "r1.unreadable"))
    ring = world.store.vault.ring
    both = PatientKeyFile("new", {**ring.keys, "new": bytes(32)})
    for keys, settled in ((ring, 0), (both, 1)):
        world.store.vault.take(both)
        await say(world)
        world.store.vault.take(keys)
        assert await settle(world.service.executor, world.market) == settled


async def is_open(world: World, name: str) -> bool:
    task = await world.store.market(world.market).tasks.records.get(name)
    return task is not None and task.state is TaskState.OPEN


async def has_task_is(world: World, request_id: str, wanted: bool) -> bool:
    return await has_task(world, request_id) is wanted


async def test_a_request_whose_record_is_gone_becomes_a_task_when_it_is_due(world: World) -> None:
    await world.open_with()
    await world.submit(make.trip("gone"), make.trip("whole"))
    await world.store.reader.ask("DEL", world.keys.record(REQUEST_KIND, "gone"))
    world.clock.ms += 6 * HOUR_MS
    assert await Timers(world.service).fire_due(world.market) == 1
    async with telling(world):
        await until(lambda: has_task(world, "gone"))
    assert await counted(world, "unreadable:request") == 1
    task = await world.store.market(world.market).tasks.records.get("gone.unreadable")
    assert task is not None
    assert (task.owner, task.code) == (OwnerRole.OPS, "request")


async def test_what_was_mended_and_is_damaged_again_is_named_again(world: World) -> None:
    await world.open_with(make.vendor("v1"))
    vendors, key = world.store.market(world.market).vendors, world.keys.vendor("v1")
    whole = await world.store.reader.get(key)
    assert whole
    with capture_logs() as lines:
        for content in (CUT, CUT, whole, CUT):
            await overwrite(world, key, content)
            await vendors.get_all()
    assert [each["event"] for each in lines] == ["unreadable", "readable_again", "unreadable"]
    assert world.store.aside.met_lately(world.market) == {"vendor": 1}


async def test_places_that_nobody_of_ours_wrote_stop_neither_lists_nor_timers_nor_matching(
    world: World,
) -> None:
    await world.open_with(make.vendor("v1"))
    await world.submit(make.trip("good"))
    stored, ask = world.store.market(world.market), world.store.reader.ask
    names = [index_of(RequestState.RECEIVED), REQUEST_KIND.timers, offers_of("v1"), CAPACITIES]
    for each in names:
        for score, member in (
            (1, b"\xff\xfe"),
            (2, b""),
            (3, b"a" * 300),
            ("-inf", "early"),
            ("inf", "late"),
        ):
            await ask("ZADD", world.keys.list(each), score, member)
    assert "good" in await stored.requests.open_ids(100)
    assert await stored.requests.offer_ids("v1")
    cursor, found = "", list[str]()
    while True:
        page = await stored.requests.page(None, cursor, 1)
        found += [each.id for each in page.records]
        if not page.cursor:
            break
        cursor = msgspec.convert(page.cursor, Cursor)
    assert found == ["good"], "however small the pages, and whatever stands between"
    await stored.capacity.renew_by_clock(DAY, ZoneInfo("UTC"))
    await stored.retention.forget_days(DAY)
    world.clock.ms += 7 * HOUR_MS
    assert await Timers(world.service).fire_due(world.market) == 1


async def test_what_cannot_be_planned_is_a_task_until_it_was(world: World) -> None:
    await world.open_with(make.vendor())
    await world.submit()
    async with telling(world):
        world.store.aside.note(world.market, Item("plan.price", "r1"), "OverflowError")
        await until(lambda: is_open(world, "r1.unreadable"))
    assert await counted(world, "unreadable:plan.price") == 1
    tasks = world.store.market(world.market).tasks.records
    task = await tasks.get("r1.unreadable")
    assert task is not None
    assert (task.owner, task.code) == (OwnerRole.OPS, "plan.price")
    assert await settle(world.service.executor, world.market) == 0
    world.clock.ms += 1_000
    assert (await world.offer()).ok
    assert await settle(world.service.executor, world.market) == 1
