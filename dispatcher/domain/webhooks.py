"""Webhooks: where somebody is called with events; how they are set, and when they are somebody's task.

What is sent, and how far it came, is kept beside the record (`store.webhooks`): it changes with every call.
"""

from __future__ import annotations

import hashlib
from typing import Any

from msgspec.structs import replace

from contracts.instants import DAY_MS
from contracts.tasks import TaskKind, TaskOutcome, TaskState
from contracts.webhooks import WebhookForm, WebhookState
from dispatcher.domain.compact import Compact, Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.kinds import Entry, Kind, register
from dispatcher.domain.tasks import BY_ITSELF, TaskRecord, done, news, opened, reopened

S = WebhookState
MOST_OF_ONE = 10  # webhooks of one vendor, and of the platform
MOST_SECRETS = 4  # that a call is signed with, while it is rotated
TEST = "test"  # in place of the stream of a test call
ALL = "all"  # in place of the id of a dead letter
MOST_TESTS = 10  # test calls that were asked for and not made yet
MOST_AGAIN = 100  # dead letters that were asked for and not taken up yet
WEBHOOKS = "webhooks"  # the list of all, by when they were made
FORMS = frozenset(WebhookForm)
FORM_ENDS = "+"  # in a stored address, behind its form
AWAKE_MS = 30 * DAY_MS  # it is looked at as often; nothing else is due of one


class Secret(Compact, frozen=True):
    """What calls are signed with, sealed; `until_ms`: 0 for the one in use."""

    sealed: bytes
    until_ms: int = 0


class WebhookRecord(Record, frozen=True, tag=1):
    """One webhook. `replays` counts from where it was told to begin: each time, from `begin` on."""

    vendor_id: str  # "": the platform's
    url: str  # as `kept_url` has it
    events: tuple[str, ...]
    state: WebhookState
    created_ms: int
    timer_ms: int
    secrets: tuple[Secret, ...]  # the one in use first
    begin: str  # a position
    replays: int = 1
    code: str = ""
    description: str = ""
    again: tuple[str, ...] = ()  # dead letters that are to be sent once more
    tests: tuple[str, ...] = ()  # ids of events that are to be sent to see whether they are taken

    @property
    def form(self) -> WebhookForm:
        """What its calls are written in."""
        before, plus, _ = self.url.partition(FORM_ENDS)
        return WebhookForm(before) if plus and before in FORMS else WebhookForm.CLOUD_EVENTS

    @property
    def address(self) -> str:
        """Where it is called."""
        return self.url.removeprefix(f"{self.form.value}{FORM_ENDS}")


def kept_url(form: WebhookForm, url: str) -> str:
    """Where and in what form, in one field, as in `redis+cluster://`: `tcrp210+https://vans.example/tds`.

    A version that knows no forms calls no such address, and tries again until one that does has its place.
    """
    return url if form is WebhookForm.CLOUD_EVENTS else f"{form.value}{FORM_ENDS}{url}"


def list_of(vendor_id: str) -> str:
    """The list of one vendor's webhooks, or of the platform's."""
    return f"{WEBHOOKS}:{vendor_id}"


def message_id(market: str, stream: str, event_id: str) -> str:
    """What a call is named to its receiver, who tells doubles by it."""
    text = f"{market}/{stream}/{event_id}"
    return f"msg_{hashlib.blake2b(text.encode(), digest_size=15).hexdigest()}"


def task_id(webhook_id: str) -> str:
    """What the task about it is called."""
    return f"{webhook_id}.{TaskKind.WEBHOOK_FAILING.value}"


def secret_subject(webhook_id: str) -> str:
    """What its secrets are sealed for."""
    return f"webhook/{webhook_id}"


def changed(hook: WebhookRecord, context: Context, **changes: Any) -> WebhookRecord:
    """One version on; a secret whose time is over is forgotten."""
    secrets = changes.pop("secrets", hook.secrets)
    kept = tuple(each for each in secrets if not each.until_ms or each.until_ms > context.now_ms)
    ends = [each.until_ms for each in kept if each.until_ms]
    timer_ms = min([*ends, context.now_ms + AWAKE_MS])
    return replace(hook, version=hook.version + 1, secrets=kept, timer_ms=timer_ms, **changes)


def step(before: WebhookRecord, after: WebhookRecord, context: Context) -> Decision:
    """The change alone."""
    return Decision(changes=(Change(before, after),), at_ms=context.now_ms)


def with_task(decision: Decision, hook: WebhookRecord, code: str, context: Context) -> Decision:
    """And somebody's task, if it is not already."""
    made = opened(TaskKind.WEBHOOK_FAILING, hook.id, context, code=code)
    fresh = replace(made, request_id="", webhook=hook.id)
    known = _task(hook, context)
    if known is not None and known.state is not TaskState.DONE:
        return decision
    task = fresh if known is None else reopened(known, fresh, context)
    return _and(decision, known, task, "opened")


def without_task(decision: Decision, hook: WebhookRecord, context: Context) -> Decision:
    """And nobody's task any more."""
    known = _task(hook, context)
    if known is None or known.state is TaskState.DONE:
        return decision
    return _and(decision, known, done(known, context, TaskOutcome.SETTLED), "done")


def has_task(hook: WebhookRecord, context: Context) -> bool:
    """Whether somebody sees to it."""
    known = _task(hook, context)
    return known is not None and known.state is not TaskState.DONE


def _task(hook: WebhookRecord, context: Context) -> TaskRecord | None:
    found = context.related.get(task_id(hook.id))
    return found if isinstance(found, TaskRecord) else None


def _and(decision: Decision, before: TaskRecord | None, after: TaskRecord, what: str) -> Decision:
    return replace(
        decision,
        changes=(*decision.changes, Change(before, after)),
        messages=(*decision.messages, news(after, what, BY_ITSELF)),
    )


def _due(hook: WebhookRecord, context: Context) -> Decision | None:
    """Its timer: a secret whose time is over is forgotten."""
    return None if hook.timer_ms > context.now_ms else step(hook, changed(hook, context), context)


WEBHOOK_KIND = register(
    Kind(
        name="webhook",
        form=WebhookRecord,
        key="wh",
        timers="timers:webhook",
        timer_ms=lambda hook: hook.timer_ms,
        lists=lambda hook: {
            Entry(WEBHOOKS, hook.id): hook.created_ms,
            Entry(list_of(hook.vendor_id), hook.id): hook.created_ms,
        },
        may_become=lambda before, after: before is not None or after is not None,
        on_timer=_due,
        related=lambda hook: [("task", task_id(hook.id))],
        ids_of_others=True,
    )
)
