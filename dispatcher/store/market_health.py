"""How one market's keys stand: matchers, lease, queues, notifications. Reads only; a key that is of another
type is named, and hides nothing beside it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
from redis.exceptions import ResponseError

from contracts.market_health import (
    MatcherHealth,
    NotificationHealth,
    QueueHealth,
    QueueTotal,
    StoreHealth,
)
from dispatcher.domain.notifications import NotificationState
from dispatcher.store.events import place
from dispatcher.store.health import Health
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.resp import text_of

FULLEST = 20  # queues that are named
KINDS = ("matches", "events", "vendors", "replies")
S = NotificationState


class Standing(msgspec.Struct, kw_only=True):
    """What was found of one market."""

    owner: str = ""
    fence: str = ""
    matchers: tuple[MatcherHealth, ...] = ()
    totals: tuple[QueueTotal, ...] = ()
    queues: tuple[QueueHealth, ...] = ()
    notifications: NotificationHealth = NotificationHealth()
    dead_letters: int = 0
    strange: list[str] = []


class _Queue(NamedTuple):
    """A stream and what kind of queue it is."""

    kind: str
    key: str


async def standing(node: Node, keys: Keys, now_ms: int) -> Standing:
    """Ask once for all that is small, then for the streams. `now_ms`: of the service. Raises Unavailable."""
    found, reader = Standing(), node.reader
    due = keys.list(f"notifications:{S.DUE.value}")
    answers = await reader.ask_each(
        [
            ("TIME",),
            ("GET", keys.lease),
            ("GET", keys.fence),
            ("HGETALL", keys.matchers),
            ("XLEN", keys.dead),
            ("SMEMBERS", keys.vendors),
            *(("ZCARD", keys.list(f"notifications:{each.value}")) for each in (S.PLANNED, S.DUE, S.FAILED)),
            ("ZRANGE", due, 0, 0, "WITHSCORES"),
        ]
    )
    named = (keys.lease, keys.fence, keys.matchers, keys.dead, keys.vendors, due)
    for key, answer in zip(named, answers[1:6], strict=False):
        _note(found, keys, key, answer)
    time, owner, fence, matchers, dead, vendors, *counts, first = map(_or_none, answers)
    server_ms = int(time[0]) * 1000 + int(time[1]) // 1000
    found.owner, found.fence = text_of(owner or b""), text_of(fence or b"").partition("-")[0]
    found.matchers = _matchers(matchers or {}, found.owner, server_ms)
    found.dead_letters = int(dead or 0)
    oldest_s = max(0.0, now_ms - float(first[1])) / 1000 if first else None
    planned, is_due, failed = (int(each or 0) for each in counts)
    found.notifications = NotificationHealth(
        planned=planned, due=is_due, failed=failed, oldest_due_s=oldest_s
    )
    await _queues(node, keys, found, sorted(map(text_of, vendors or ())), server_ms)
    return found


async def of_server(node: Node, keys: Keys, health: Health) -> StoreHealth:
    """The market's server in numbers, beside what `Store.health` said of all. Raises Unavailable."""
    told: Mapping[str, Any] = {}
    with contextlib.suppress(ResponseError):  # our user may not ask
        told = await node.reader.ask_at(keys.events, "INFO")
    number = {name: _whole(told.get(name)) for name in (*_NUMBERS.values(),)}
    return StoreHealth(
        ready=not health.reasons,
        durable=health.durable,
        reasons=health.reasons,
        version=health.version,
        **{name: number[word] for name, word in _NUMBERS.items()},
    )


_NUMBERS = {
    "uptime_s": "uptime_in_seconds",
    "memory_bytes": "used_memory",
    "memory_limit_bytes": "maxmemory",
    "log_bytes": "aof_current_size",
    "clients": "connected_clients",
    "commands_per_s": "instantaneous_ops_per_sec",
}


def _whole(value: Any) -> int:
    return int(value) if re.fullmatch("[0-9]+", str(value)) else 0


def _or_none(answer: Any) -> Any:
    return None if isinstance(answer, Exception) else answer


def _note(found: Standing, keys: Keys, key: str, answer: Any) -> None:
    if isinstance(answer, ResponseError) and "no such key" not in str(answer):
        found.strange.append(f"{key.removeprefix(keys.prefix)}: {str(answer).partition(' ')[0]}")


def _matchers(told: Mapping[Any, Any], owner: str, server_ms: int) -> tuple[MatcherHealth, ...]:
    """Those that live, the owner first; an entry that is no time of ours is passed over."""
    until = {text_of(name): _whole(text_of(at)) for name, at in told.items()}
    living = [
        MatcherHealth(name=name, owns=name == owner, alive_s=(at - server_ms) / 1000)
        for name, at in until.items()
        if at > server_ms
    ]
    return tuple(sorted(living, key=lambda each: (not each.owns, each.name)))


async def _queues(node: Node, keys: Keys, found: Standing, vendors: Sequence[str], server_ms: int) -> None:
    named = [_Queue("matches", keys.matches), _Queue("events", keys.events)]
    named += [_Queue("vendors", keys.stream(each)) for each in vendors]
    named += [_Queue("replies", each) for each in keys.reply_streams(vendors)]
    answers = await node.reader.ask_each([("XINFO GROUPS", each.key) for each in named])
    queues: list[tuple[_Queue, Mapping[str, Any]]] = []
    for each, groups in zip(named, answers, strict=True):
        _note(found, keys, each.key, groups)
        queues += [(each, group) for group in _or_none(groups) or ()]
    found.totals = tuple(_total(kind, queues) for kind in KINDS)
    fullest = sorted(queues, key=lambda each: -_load(each[1]))[:FULLEST]
    some = [each for each in fullest if _load(each[1])]
    lengths = await node.reader.ask_each([("XLEN", each.key) for each, _ in some])
    pending = await node.reader.ask_each([("XPENDING", each.key, group["name"]) for each, group in some])
    found.queues = tuple(
        QueueHealth(
            stream=each.key.removeprefix(keys.prefix),
            group=text_of(group["name"]),
            entries=int(_or_none(length) or 0),
            unread=group.get("lag"),
            unfinished=int(group["pending"]),
            oldest_s=_age_s(_or_none(summary), server_ms),
        )
        for (each, group), length, summary in zip(some, lengths, pending, strict=True)
    )


def _load(group: Mapping[str, Any]) -> int:
    return int(group.get("lag") or 0) + int(group["pending"])


def _total(kind: str, queues: Sequence[tuple[_Queue, Mapping[str, Any]]]) -> QueueTotal:
    mine = [(each.key, group) for each, group in queues if each.kind == kind]
    return QueueTotal(
        kind=kind,
        streams=len({key for key, _ in mine}),
        unread=sum(int(group.get("lag") or 0) for _, group in mine),
        unfinished=sum(int(group["pending"]) for _, group in mine),
    )


def _age_s(summary: Mapping[str, Any] | None, server_ms: int) -> float | None:
    if not summary or not summary.get("min"):
        return None
    return max(0, server_ms - place(text_of(summary["min"]))[0]) / 1000
