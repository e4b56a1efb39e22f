"""Webhooks: each request in its order, and none lost, whatever their receivers do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from contracts.instants import HOUR_MS
from contracts.tasks import TaskState
from contracts.webhooks import DeliveryOutcome, DeliveryQuery, ReplayWebhook, WebhookState
from dispatcher.audit.auditor import audit
from dispatcher.delivery.webhooks import caller, callers
from dispatcher.delivery.webhooks.retrying import PARAMETERS, RETRY, next_ms
from dispatcher.delivery.webhooks.sending import Poster
from dispatcher.domain.commands.webhooks import EnableWebhook, SendDeadAgain
from dispatcher.domain.webhooks import WebhookRecord, task_id
from tests.delivery.hooks import Hooks, ids, says, told
from tests.delivery.receivers import Receiver, webhook
from tests.service.world import World

S = WebhookState


@pytest.fixture(autouse=True)
def look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for what is looked at every second."""
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


async def test_each_request_is_told_of_in_its_order_while_others_go_on(
    hooks: Hooks, receiver: Receiver, url: str
) -> None:
    refused = {1}
    receiver.answer = lambda number: web.Response(status=500 if number in refused else 204)
    hook = await hooks.made(url)
    async with hooks.sending():
        await hooks.tell("r1")
        await hooks.until(lambda: hooks.waits(hook, 1))
        await hooks.tell("r1", "r2", "r1", "r3")
        await hooks.until(lambda: len(receiver.calls) == 3)
        assert {name for name, _ in told(receiver)[1:]} == {"r2", "r3"}
        await hooks.later(1)
        await hooks.until(lambda: len(receiver.calls) == 6)
    of_r1 = [version for name, version in told(receiver) if name == "r1"]
    assert of_r1 == sorted(of_r1)
    assert ids(receiver).count(ids(receiver)[0]) == 2  # the same at each attempt
    assert len(set(ids(receiver))) == 5


async def test_what_is_never_taken_is_a_dead_letter_and_a_task_and_is_sent_again_once_it_may_be(
    hooks: Hooks, receiver: Receiver, url: str
) -> None:
    receiver.answer = says(500)
    hook = await hooks.made(url)
    world, who, market = hooks.world, hooks.world.ops, hooks.world.market
    async with hooks.sending():
        await hooks.tell("r1")
        await hooks.until(lambda: hooks.waits(hook, 1))
        await hooks.later(23.9)
        await hooks.until(lambda: len(receiver.calls) == 2)
        assert await hooks.part.count_dead(hook.id) == 0
        await hooks.later(0.2)
        await hooks.until(lambda: is_dead(hooks, hook))
        (letter,) = (await hooks.service.webhooks.letters(who, market, hook.id, DeliveryQuery())).letters
        assert (letter.subject, letter.code, letter.attempts) == ("r1", "http_500", len(receiver.calls))
        task = await world.store.market(market).tasks.records.get(task_id(hook.id))
        assert task is not None
        assert (task.state, task.webhook, task.request_id) == (TaskState.OPEN, hook.id, "")
        assert (await audit(world.store.reader, market, []))["findings"] == []
        receiver.answer = says(204)
        again = SendDeadAgain(webhook_id=hook.id, letters=(letter.id,))
        await hooks.service.execute(world.ops, market, again)
        await hooks.service.execute(world.ops, market, again)
        await hooks.until(lambda: task_is(hooks, hook, TaskState.DONE))
        assert await hooks.part.count_dead(hook.id) == 0
    assert len(set(ids(receiver))) == 1
    log = await hooks.service.webhooks.deliveries(who, market, hook.id, DeliveryQuery())
    outcomes = [each.outcome for each in reversed(log.deliveries)]
    D = DeliveryOutcome
    assert outcomes[-2:] == [D.DEAD, D.DELIVERED]
    assert set(outcomes[:-2]) == {D.FAILED}


async def test_what_nobody_needs_is_let_go_and_with_it_the_task(
    hooks: Hooks, receiver: Receiver, url: str
) -> None:
    poison = iter((500, 500))
    receiver.answer = lambda number: web.Response(status=next(poison, 204))
    hook, world = await hooks.made(url), hooks.world
    async with hooks.sending():
        await hooks.tell("r1")
        await hooks.until(lambda: hooks.waits(hook, 1))
        await hooks.later(24.1)
        await hooks.until(lambda: is_dead(hooks, hook))
    assert (await hooks.now(hook)).state is S.ACTIVE  # one event is no outage
    left = await hooks.service.webhooks.forget_letters(world.ops, world.market, hook.id, ())
    assert left.letters == ()
    assert await task_is(hooks, hook, TaskState.DONE)


async def is_dead(hooks: Hooks, hook: WebhookRecord) -> bool:
    return await hooks.part.count_dead(hook.id) == 1 and await task_is(hooks, hook, TaskState.OPEN)


async def task_is(hooks: Hooks, hook: WebhookRecord, state: TaskState) -> bool:
    stored = hooks.world.store.market(hooks.world.market)
    task = await stored.tasks.records.get(task_id(hook.id))
    return task is not None and task.state is state


async def test_who_answers_gone_is_called_no_more_and_hears_all_of_it_once_enabled(
    hooks: Hooks, receiver: Receiver, url: str
) -> None:
    receiver.answer = says(410)
    hook = await hooks.made(url)

    async def is_disabled() -> bool:
        return (await hooks.now(hook)).state is S.DISABLED

    async with hooks.sending():
        await hooks.tell("r1")
        await hooks.until(is_disabled)
        assert (await hooks.now(hook)).code == "gone"
        assert await task_is(hooks, hook, TaskState.OPEN)
        await hooks.tell("r2")
        await hooks.later(30)
        receiver.answer = says(204)
        calls = len(receiver.calls)
        await hooks.service.webhooks.execute(
            hooks.platform, hooks.world.market, EnableWebhook(webhook_id=hook.id), None
        )
        await hooks.until(lambda: len(receiver.calls) == calls + 2)
        await hooks.until(lambda: task_is(hooks, hook, TaskState.DONE))
    assert {name for name, _ in told(receiver)} == {"r1", "r2"}
    assert (await hooks.now(hook)).state is S.ACTIVE


async def test_a_receiver_that_takes_nothing_is_asked_by_one_call_and_all_goes_out_once_it_does(
    hooks: Hooks, receiver: Receiver, url: str
) -> None:
    receiver.answer = says(503)
    hook = await hooks.made(url)

    async def is_failing() -> bool:
        return (await hooks.now(hook)).state is S.FAILING

    async with hooks.sending():
        await hooks.tell(*(f"r{n}" for n in range(20)))
        await hooks.until(is_failing)
        calls = len(receiver.calls)
        assert calls < 20
        receiver.answer = says(204)

        async def is_all_told() -> bool:
            await hooks.later(1)  # each time: a call that was refused before may be seen to after this
            return len(set(ids(receiver)[calls:])) == 20

        await hooks.until(is_all_told)
    assert (await hooks.now(hook)).state is S.ACTIVE


async def test_once_a_test_call_is_taken_what_waits_is_tried_at_once(
    hooks: Hooks, receiver: Receiver, url: str
) -> None:
    """An outage that is over is not waited for: no clock goes on here."""
    receiver.answer = says(503)
    hook = await hooks.made(url)
    async with hooks.sending():
        await hooks.tell(*(f"r{n}" for n in range(4)))
        await hooks.until(lambda: hooks.waits(hook, 4))
        receiver.answer = says(204)
        await hooks.service.webhooks.test(hooks.world.ops, hooks.world.market, hook.id, None)
        await hooks.until(lambda: hooks.waits(hook, 0))
    assert {name for name, _ in told(receiver)[-4:]} == {"r0", "r1", "r2", "r3"}


@pytest.mark.parametrize("dies", ["before the answer is kept", "while it waits"])
async def test_who_dies_while_it_sends_leaves_it_to_be_sent_again_under_the_same_id(
    hooks: Hooks, receiver: Receiver, url: str, dies: str
) -> None:
    holds = asyncio.Event()
    hook = await hooks.made(url)
    if dies == "while it waits":
        receiver.answer = says(500)
    async with hooks.sending("one", Slow(holds) if dies != "while it waits" else None):
        await hooks.tell("r1", "r1")
        await hooks.until(lambda: len(receiver.calls) == 1)
        if dies == "while it waits":
            await hooks.until(lambda: hooks.waits(hook, 2))
    receiver.answer = says(204)
    await hooks.later(1)
    async with hooks.sending("two"):
        await hooks.until(lambda: len(receiver.calls) == 3)
        await hooks.until(lambda: hooks.waits(hook, 0))
    first, again, other = ids(receiver)
    assert (first == again, first == other) == (True, False)


class Slow(Poster):
    """Posts, and never learns that it was taken."""

    def __init__(self, holds: asyncio.Event) -> None:
        super().__init__(None)
        self.holds = holds

    async def post(self, url: str, body: bytes, headers: object) -> int:
        await super().post(url, body, headers)  # type: ignore[arg-type]
        await self.holds.wait()
        return 204


async def test_of_two_processes_one_sends(hooks: Hooks, receiver: Receiver, url: str) -> None:
    await hooks.made(url)
    async with hooks.sending("one"), hooks.sending("two"):
        await hooks.tell("r1", "r2", "r3")
        await hooks.until(lambda: len(receiver.calls) == 3)
        await hooks.tell("r4")
        await hooks.until(lambda: len(receiver.calls) == 4)
    assert len(set(ids(receiver))) == 4


async def test_what_followed_a_position_is_sent_once_more_under_its_ids(
    hooks: Hooks, receiver: Receiver, url: str
) -> None:
    hook = await hooks.made(url)
    async with hooks.sending():
        await hooks.tell("r1")
        await hooks.until(lambda: len(receiver.calls) == 1)
        await hooks.tell("r2", "r3")
        await hooks.until(lambda: len(receiver.calls) == 3)
        view = await hooks.service.webhooks.view(hooks.world.market, await hooks.now(hook))
        wanted = ReplayWebhook(after=hook.begin)
        await hooks.service.webhooks.replay(hooks.platform, hooks.world.market, hook.id, wanted, None)
        await hooks.until(lambda: len(receiver.calls) == 6)
    assert sorted(ids(receiver)[3:]) == sorted(ids(receiver)[:3])
    assert view.delivered <= 3


def test_the_parameter_says_how_long_is_tried() -> None:
    assert (RETRY,) == PARAMETERS
    ends = [next_ms(10 * HOUR_MS, 0, 9, "e1", last_ms=hours * HOUR_MS) for hours in (24, 9)]
    assert (ends[0] is not None, ends[1]) == (True, None)


def test_pauses_grow_and_end_at_the_end_of_the_day() -> None:
    now_ms, tries, pauses = 0, 0, list[int]()
    while (again := next_ms(now_ms, 0, tries + 1, "e1", last_ms=24 * HOUR_MS)) is not None:
        pauses.append(again - now_ms)
        now_ms, tries = again, tries + 1
    assert now_ms == 24 * HOUR_MS
    assert pauses[:8] == sorted(pauses[:8])
    assert 8 <= tries <= 16
    other = next_ms(0, 0, 1, "e2", last_ms=24 * HOUR_MS)
    assert other != next_ms(0, 0, 1, "e1", last_ms=24 * HOUR_MS)  # not all of them at one time
