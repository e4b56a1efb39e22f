"""Webhooks as they live: set anew while they are called, keys that change, trimmed streams, kills."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest
from aiohttp import web
from redis.exceptions import ConnectionError as Disconnected

from contracts.events import RequestUnmatched
from contracts.unmatched import Unmatched
from contracts.webhooks import WebhookSettings
from dispatcher.delivery import pages
from dispatcher.delivery.webhooks import caller, callers
from dispatcher.delivery.webhooks.content import Event
from dispatcher.delivery.webhooks.forms import CloudEvents
from dispatcher.domain.commands.webhooks import DisableWebhook
from dispatcher.domain.decision import Message
from dispatcher.domain.refusals import Unavailable
from dispatcher.domain.webhooks import WebhookRecord
from dispatcher.jobs.timers import Timers
from dispatcher.security.key_files import PatientKeyFile
from dispatcher.store.commit_connection import CommitConnection, Job
from dispatcher.store.events import FIELD
from dispatcher.store.outcome import Outcome, Status
from dispatcher.store.retention import RetentionPart
from dispatcher.store.survey import survey
from dispatcher.store.webhooks import Buried, Progress, Sent
from tests.delivery.conftest import RING
from tests.delivery.hooks import Hooks, ids, says, told
from tests.delivery.receivers import Receiver, webhook
from tests.service.world import World


@pytest.fixture(autouse=True)
def look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (caller, callers):
        monkeypatch.setattr(module, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(caller, "FLUSH_EVERY_S", 0.01)


@pytest.fixture
def hooks(world: World) -> Hooks:
    return Hooks(world)


@pytest.fixture
async def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def url(receiver: Receiver) -> AsyncIterator[str]:
    async with webhook(receiver) as made:
        yield made


async def test_what_waits_goes_to_where_it_is_called_from_now_on_at_once(
    hooks: Hooks, receiver: Receiver, url: str
) -> None:
    receiver.answer = says(500)
    hook, other = await hooks.made(url), Receiver()
    async with webhook(other) as elsewhere, hooks.sending():
        await hooks.tell("r1", "r2", "r3", "r4")
        await hooks.until(lambda: hooks.waits(hook, 4))
        wanted = WebhookSettings(url=elsewhere, events=hook.events)
        await hooks.service.webhooks.change(hooks.platform, hooks.world.market, hook.id, wanted, None)
        await hooks.until(lambda: len(set(ids(other))) == 4)


async def test_one_that_is_disabled_is_not_called(hooks: Hooks, receiver: Receiver, url: str) -> None:
    hook, heard = await hooks.made(url), Receiver()
    command = DisableWebhook(webhook_id=hook.id)
    await hooks.service.webhooks.execute(hooks.platform, hooks.world.market, command, None)
    async with webhook(heard) as other, hooks.sending():
        await hooks.made(other)
        await hooks.tell("r1")
        await hooks.until(lambda: len(heard.calls) == 1)
    assert (receiver.calls, (await hooks.now(hook)).code) == ([], "by_hand")


async def test_who_was_away_for_longer_than_is_kept_is_told_that_something_is_missing(
    hooks: Hooks, receiver: Receiver, url: str
) -> None:
    await hooks.made(url)
    await hooks.tell("r1", "r2")
    stored = hooks.world.store.market(hooks.world.market)
    await hooks.world.store.reader.ask("XTRIM", stored.keys.events, "MAXLEN", "=", 1)
    async with hooks.sending():
        await hooks.until(lambda: len(receiver.calls) == 2)
    first, second = (msgspec.json.decode(body) for _, body in receiver.calls)
    assert {first["type"], second["type"]} == {"dispatch.feed.gap", "dispatch.request.changed"}


async def test_who_is_called_is_told_that_a_stream_fell_back_and_then_of_what_comes(
    hooks: Hooks, receiver: Receiver, url: str
) -> None:
    """After a fail-over to a server that lacks the latest, and whose clock is behind."""
    ask, events = hooks.world.store.reader.ask, hooks.world.keys.events
    await hooks.made(url)
    await hooks.tell("r1")
    (entry,) = await hooks.world.store.streams.read(events)
    await ask("XADD", events, f"{2**50}-0", FIELD, entry.event)
    async with hooks.sending():
        await hooks.until(lambda: len(receiver.calls) == 2)
        await ask("DEL", events)
        await hooks.until(lambda: len(receiver.calls) == 3)
        await hooks.tell("r2")
        await hooks.until(lambda: len(receiver.calls) == 4)
    gap, last = (msgspec.json.decode(body) for _, body in receiver.calls[2:])
    assert (gap["specversion"], gap["type"], gap["data"]["reason"]) == ("1.0", "dispatch.feed.gap", "ahead")
    assert last["subject"] == "r2"


async def test_of_two_streams_each_request_is_told_of_in_its_order_however_far_behind_it_is(
    hooks: Hooks, receiver: Receiver, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "SIZE", 4)
    await hooks.made(url, events=("dispatch.request.changed", "dispatch.request.unmatched"))
    await hooks.tell(*(f"r{n}" for n in range(9)), "last")
    news = RequestUnmatched(request_id="last", unmatched=Unmatched(vendors=0, last_rule="hours"))
    message = Message(type="dispatch.request.unmatched", subject="last", data=news)
    stored = hooks.world.store.market(hooks.world.market)
    await asyncio.sleep(0.003)  # ids of two streams tell time by the millisecond
    await stored.announce(message, event_id="last.99.0", at_ms=hooks.world.clock.ms)
    await asyncio.sleep(0.003)
    await hooks.tell("last")
    async with hooks.sending():
        await hooks.until(lambda: len(receiver.calls) == 12)
    found = [msgspec.json.decode(body) for _, body in receiver.calls]
    types = [each["type"].rpartition(".")[2] for each in found if each["subject"] == "last"]
    assert types == ["changed", "unmatched", "changed"]


async def test_what_cannot_be_read_holds_up_nothing(hooks: Hooks, receiver: Receiver, url: str) -> None:
    hook, events = await hooks.made(url), hooks.world.keys.events
    for poison in (b"\xc1", msgspec.msgpack.encode([1]), b"", msgspec.msgpack.encode({"type": 1})):
        await hooks.world.store.reader.ask("XADD", events, "*", FIELD, poison)
    bad = {"type": hook.events[0], "id": "x", "subject": "r0", "data": {(1, 2): float("nan")}}
    await hooks.world.store.reader.ask("XADD", events, "*", FIELD, msgspec.msgpack.encode(bad))
    await hooks.tell("r1")
    async with hooks.sending():
        await hooks.until(lambda: told(receiver)[-1:] and told(receiver)[-1][0] == "r1")


async def test_a_fault_of_ours_in_one_event_holds_up_no_other(
    hooks: Hooks, receiver: Receiver, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook, body = await hooks.made(url), CloudEvents.body

    async def fails(form: CloudEvents, market: str, to: WebhookRecord, event: Event) -> bytes | None:
        if event["subject"] == "r1":
            raise ZeroDivisionError
        return await body(form, market, to, event)

    monkeypatch.setattr(CloudEvents, "body", fails)
    async with hooks.sending():
        await hooks.tell("r1", "r2")
        await hooks.until(lambda: [name for name, _ in told(receiver)] == ["r2"])
        await hooks.until(lambda: hooks.waits(hook, 1))
        monkeypatch.setattr(CloudEvents, "body", body)
        await hooks.later(1)
        await hooks.until(lambda: [name for name, _ in told(receiver)] == ["r2", "r1"])


async def test_streams_of_webhooks_are_kept_where_all_groups_have_done_with_them(
    hooks: Hooks, url: str
) -> None:
    stored, reader = hooks.world.store.market(hooks.world.market), hooks.world.store.reader
    for stream in (stored.keys.matches, stored.keys.stream("v1")):
        name = (await reader.ask("XADD", stream, "1-1", FIELD, b"x")).decode()
        await hooks.world.store.streams.ensure_group(stream, "theirs", name)
    await reader.ask("SADD", stored.keys.vendors, "v1")
    await hooks.made(url)
    retention = RetentionPart(stored.node, stored.keys, stored.capacity)
    await retention.trim_streams(retention_ms=10**15, done_ms=0)
    left = [await reader.ask("XLEN", each) for each in (stored.keys.matches, stored.keys.stream("v1"))]
    assert left == [1, 0]


async def test_secrets_move_to_the_patient_key_in_use(hooks: Hooks, receiver: Receiver, url: str) -> None:
    world, hook = hooks.world, await hooks.made(url)
    before = hooks.part.secrets(hook, 0)
    both = PatientKeyFile("next", RING.keys | {"next": bytes(range(1, 33))})
    world.store.vault.take(both)
    assert hooks.part.is_under_another_key(hook)
    assert (await survey(world.store.reader, world.market)).sealed["dev"].comments == 1
    async with hooks.sending():

        async def is_moved() -> bool:
            return not hooks.part.is_under_another_key(await hooks.now(hook))

        await hooks.until(is_moved)
        await hooks.tell("r1")
        await hooks.until(lambda: receiver.calls)
    assert hooks.part.secrets(await hooks.now(hook), 0) == before
    assert "dev" not in (await survey(world.store.reader, world.market)).sealed


async def test_what_is_too_much_to_wait_for_is_read_once_there_is_room(
    hooks: Hooks, receiver: Receiver, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caller, "WINDOW", 2)
    monkeypatch.setattr(caller, "MOST_WAITING", 3)
    monkeypatch.setattr(pages, "SIZE", 2)
    receiver.answer = says(500)
    hook, names = await hooks.made(url), [f"r{n % 4}" for n in range(20)]
    async with hooks.sending():
        await hooks.tell(*names)

        async def is_full() -> bool:
            return len(await hooks.part.waiting(hook.id)) >= 3

        await hooks.until(is_full)
        await hooks.later(1)
        assert len(await hooks.part.waiting(hook.id)) <= 4
        receiver.answer = says(204)

        async def is_all_told() -> bool:
            await hooks.later(1)
            return len(set(ids(receiver))) == 20 and await hooks.waits(hook, 0)

        await hooks.until(is_all_told)
    for name in set(names):
        firsts = list(dict.fromkeys(version for each, version in told(receiver) if each == name))
        assert firsts == sorted(firsts)


async def test_a_secret_whose_time_is_over_is_forgotten(hooks: Hooks, url: str) -> None:
    hook, timers = await hooks.made(url), Timers(hooks.service)
    await hooks.service.webhooks.rotate(hooks.platform, hooks.world.market, hook.id, 2, None)
    await timers.fire_due(hooks.world.market)
    assert len((await hooks.now(hook)).secrets) == 2
    await hooks.later(2)
    await timers.fire_due(hooks.world.market)
    assert len((await hooks.now(hook)).secrets) == 1
    await hooks.later(29 * 24)
    assert await timers.fire_due(hooks.world.market) == 0


async def test_who_has_lost_the_lease_or_knows_an_older_webhook_writes_nothing(
    hooks: Hooks, url: str
) -> None:
    hook = await hooks.made(url)
    old = await hooks.part.lease.acquire("one", 60_000) or ""
    new = await hooks.part.lease.acquire("one", 60_000) or ""
    progress = Progress(position="1-1", replays=1)
    assert (await hooks.part.flush(hook, old, progress, waiting=[])).status is Status.FENCED
    await hooks.service.webhooks.rotate(hooks.platform, hooks.world.market, hook.id, 1, None)
    assert (await hooks.part.flush(hook, new, progress, waiting=[])).status is Status.OUTDATED
    assert await hooks.part.progress(hook.id) is None
    assert (await hooks.part.flush(await hooks.now(hook), new, progress, waiting=[])).ok


async def test_what_became_of_a_call_is_kept_once_though_the_answer_is_lost(
    hooks: Hooks, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = await hooks.made(url)
    fence = await hooks.part.lease.acquire("one", 60_000) or ""
    sent = Sent(stream="s", entry_id="1-1", queue="", type="t", subject="s", event_id="e", first_ms=0)
    settle, lost = CommitConnection._settle, list[Any]()

    def loses_the_first(connection: CommitConnection, job: Job, answer: Any) -> bool:
        if not lost:
            lost.append(answer)
            raise Disconnected("its answer was lost")
        return settle(connection, job, answer)

    monkeypatch.setattr(CommitConnection, "_settle", loses_the_first)
    progress, dead = Progress(position="1-1", replays=1), [Buried(0, sent)]
    assert (await hooks.part.flush(hook, fence, progress, waiting=None, dead=dead)).ok
    assert (len(lost), await hooks.part.count_dead(hook.id)) == (1, 1)


async def test_what_became_of_a_call_is_kept_once_though_nobody_knows_whether_it_was(
    hooks: Hooks, receiver: Receiver, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who gives up writes it once more at its end."""
    hook, told_of = await hooks.made(url), list[Outcome]()
    flush = hooks.part.flush

    async def unknown(*given: Any, **named: Any) -> Outcome:
        outcome = await flush(*given, **named)
        if named["called"] and not told_of:
            told_of.append(outcome)
            raise Unavailable("the store does not answer.")
        return outcome

    monkeypatch.setattr(hooks.part, "flush", unknown)
    async with hooks.sending():
        await hooks.tell("r1")
        await hooks.until(lambda: told_of)
        await hooks.tell("r2")
        await hooks.until(lambda: len(receiver.calls) == 2)
    calls, _ = await hooks.part.log(hook.id, "", 10)
    assert [called.sent.subject for _, called in calls] == ["r2", "r1"]


async def test_nothing_is_lost_and_no_request_goes_back_whenever_who_sends_dies(
    hooks: Hooks,
    receiver: Receiver,
    url: str,
    pytestconfig: pytest.Config,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def killed(self: caller.Caller) -> None:
        for each in self._calls:
            each.cancel()

    chance, hook = random.Random(49), await hooks.made(url)
    receiver.answer = lambda number: web.Response(status=500 if chance.random() < 0.2 else 204)
    names = [f"r{n}" for n in range(5)]
    told_of = 0
    whole = caller.Caller._end
    for life in range(pytestconfig.getoption("--rounds")):
        monkeypatch.setattr(caller.Caller, "_end", killed if life % 2 else whole)
        async with hooks.sending(f"p{life}"):
            for _ in range(5):
                await hooks.tell(*names)
                told_of += len(names)
                await hooks.later(chance.random())
                await asyncio.sleep(chance.random() * 0.02)
    receiver.answer = says(204)
    monkeypatch.setattr(caller.Caller, "_end", whole)
    async with hooks.sending("last"):

        async def is_all_told() -> bool:
            await hooks.later(1)
            return len(set(told(receiver))) == told_of and await hooks.waits(hook, 0)

        await hooks.until(is_all_told)
    for name in names:
        firsts = list(dict.fromkeys(version for each, version in told(receiver) if each == name))
        assert firsts == sorted(firsts)
