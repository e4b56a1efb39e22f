"""What the service's own Redis user must be allowed: every command, on the keys and channels it is used on.

The server is asked (`redis.acl_check_cmd`, which needs no right but EVAL); nothing is tried out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from redis.exceptions import NoPermissionError

from contracts.streams import PREFIX
from dispatcher.domain.kinds import kinds
from dispatcher.store import script
from dispatcher.store.connection import Reader
from dispatcher.store.identity import IDENTITY
from dispatcher.store.keys import (
    BESIDE_TUNING,
    WEBHOOK_AT,
    WEBHOOK_DEAD,
    WEBHOOK_LOG,
    WEBHOOK_WAITING,
    Keys,
)

Words = tuple[str, ...]
NAMED = 8  # rights spelled out in one reason
HINTS = ("PUBLISH", "SUBSCRIBE")
SUBCOMMANDS = ("SCRIPT", "XINFO", "XGROUP")

# Whole commands, KEY standing for the key: a server may crash when asked about one without its arguments.
TEXT = ("GET KEY", "MGET KEY", "GETRANGE KEY 0 3", "SET KEY x", "DEL KEY", "SETRANGE KEY 0 x")
SORTED = ("ZADD KEY 1 x", "ZREM KEY x", "ZCARD KEY", "ZRANGE KEY 0 0", "ZMSCORE KEY x", "ZCOUNT KEY 0 0")
GROUP = "GROUP g c COUNT 1 STREAMS KEY >"
READ_STREAM = (
    "XRANGE KEY - +",
    "XREVRANGE KEY + -",
    "XLEN KEY",
    "XREAD COUNT 1 STREAMS KEY 0",
    f"XREADGROUP {GROUP}",
    "XPENDING KEY g",
    "XINFO STREAM KEY",
    "XINFO GROUPS KEY",
    "XINFO CONSUMERS KEY g",
    "TYPE KEY",
    "EXISTS KEY",
)
WRITE_STREAM = (
    "XADD KEY * ce x",
    "XACK KEY g 0-1",
    "XDEL KEY 0-1",
    "XTRIM KEY MINID 0",
    "XGROUP CREATE KEY g 0 MKSTREAM",
    "XAUTOCLAIM KEY g c 0 0-0",
    "XCLAIM KEY g c 0 0-1 FORCE",
    "RENAME KEY KEY",
    "RENAMENX KEY KEY",
    "XGROUP DELCONSUMER KEY g c",
    "UNLINK KEY",
)
SETS = ("SADD KEY x", "SMEMBERS KEY", "SCARD KEY", "SISMEMBER KEY x")
COUNTS = ("HINCRBY KEY x 1", "HGET KEY x", "HGETALL KEY", "PEXPIRE KEY 1")
OUTCOMES = ("HSET KEY x 1", "HDEL KEY x", "HGET KEY x", "HGETALL KEY", "PEXPIRE KEY 1")
LEDGER = (
    "XADD KEY 1-0 e x",
    "XRANGE KEY - +",
    "XREVRANGE KEY + -",
    "XTRIM KEY MINID 0",
    "XINFO STREAM KEY",
    "EXISTS KEY",
)
DECIDED = ("HSET KEY x 1", "HGET KEY x", "EXPIRE KEY 1")
OF_WEBHOOK = ("XADD KEY * d x", "XRANGE KEY - +", "XREVRANGE KEY + -", "XLEN KEY", "XDEL KEY 0-1", "DEL KEY")
LEASE = ("GET KEY", "SET KEY x PX 1", "PEXPIRE KEY 1", "DEL KEY")
FENCE = ("GET KEY", "SET KEY x")
MATCHERS = ("HSET KEY x 1", "HDEL KEY x", "HGETALL KEY")
TROUBLES = ("HINCRBY KEY x 1", "HGETALL KEY")
TROUBLE = ("GET KEY", "SET KEY x PX 1", "DEL KEY")
HINTED = ("PUBLISH KEY x", "SUBSCRIBE KEY")
ANYWHERE: tuple[Words, ...] = (
    ("EVALSHA", "x", "0"),
    ("SCRIPT", "LOAD", "x"),
    ("INFO",),
    ("TIME",),
    ("SET", IDENTITY, "x", "NX"),
    ("GET", IDENTITY),
)
ASKING: Words = ("ASKING",)
WAIT: Words = ("WAIT", "0", "0")


def more(*, cluster: bool, replicas: int) -> Sequence[Words]:
    """What is needed of a server of a cluster, and where a commit waits for replicas."""
    return (*([ASKING] if cluster else []), *([WAIT] if replicas else []))


async def lacking(reader: Reader, markets: Iterable[str], more: Sequence[Words] = ()) -> tuple[str, ...]:
    """The rights that the service has not got, in words; none if it may do all. Raises Unavailable."""
    wanted = [*ANYWHERE, *more, *(words for market in markets for words in needed(Keys(market)))]
    flat = [word for words in wanted for word in (len(words), *words)]
    try:
        missing = await reader.ask("EVAL", script.source("rights"), 0, *flat)
    except NoPermissionError:
        return ("the Redis user may not EVAL; see docs/operations.md for the rights it needs",)
    return tuple(_told([wanted[place] for place in missing]))


def needed(keys: Keys) -> list[Words]:
    """Every command on one market's keys, with a key of each sort."""
    uses: list[tuple[Sequence[str], Sequence[str]]] = [
        (_texts(keys), TEXT),
        (_lists(keys), SORTED),
        (_streams(keys), (*READ_STREAM, *WRITE_STREAM)),
        ((keys.vendors, keys.exhausted), SETS),
        (
            (
                keys.scorecards("2026-01"),
                keys.calls("2026-01"),
                keys.patterns("2026-W01"),
                keys.acceptance("2026-W01"),
                keys.quarters("2026-01-01"),
                keys.fairness("2026-01-01"),
            ),
            COUNTS,
        ),
        ((keys.losses("x", "2026-01-01"),), (*COUNTS, "HLEN KEY")),
        ((keys.cap_limits("x"), keys.spent("x", "2026")), (*COUNTS, "HMGET KEY x", "DEL KEY")),
        ((keys.outcomes("x", "2026-01-01"), keys.statement("x", "2026-01-01")), OUTCOMES),
        ((keys.decisions, keys.seals), LEDGER),
        ((keys.decided("2026-01-01"),), DECIDED),
        ((keys.lease, keys.webhooks_lease, keys.jobs_lease), LEASE),
        ((keys.fence, keys.webhooks_fence, keys.jobs_fence), FENCE),
        ([keys.of_webhook(each, "x") for each in (WEBHOOK_LOG, WEBHOOK_DEAD)], OF_WEBHOOK),
        ((keys.matchers, keys.pulse, keys.rings, keys.patient_keys, keys.formats), MATCHERS),
        ((keys.what_ifs,), (*MATCHERS, "HMGET KEY x")),
        ((keys.what_if("x"),), TROUBLE),
        ((keys.troubles, keys.measures), TROUBLES),
        ((keys.trouble("x"),), TROUBLE),
        ((keys.wake,), HINTED),
    ]
    return [
        tuple([key if word == "KEY" else word for word in command.split()])
        for names, commands in uses
        for key in names
        for command in commands
    ]


def _texts(keys: Keys) -> Sequence[str]:
    ledgers = (keys.limit("x", "x", "x"), keys.used("x", "x", "x"))
    records = [name for kind in kinds() for name in (keys.record(kind, "x"), keys.body(kind, "x"))]
    hooks = [keys.of_webhook(each, "x") for each in (WEBHOOK_AT, WEBHOOK_WAITING)]
    return (
        *records,
        *hooks,
        keys.vendor("x"),
        keys.capacity("x", "x"),
        *_tuning(keys),
        keys.command("x"),
        keys.sends_nothing,
        *ledgers,
    )


def _tuning(keys: Keys) -> Sequence[str]:
    beside = map(keys.beside_tuning, BESIDE_TUNING)
    return (keys.tuning, keys.tuning_version(1), keys.tuning_newest, *beside)


def _lists(keys: Keys) -> Sequence[str]:
    return (keys.capacities, keys.unsealed, *(keys.list(kind.timers) for kind in kinds()))


def _streams(keys: Keys) -> Sequence[str]:
    return (keys.events, keys.matches, keys.dead, keys.stream("x"), *keys.reply_streams(["x"]))


def _told(missing: Sequence[Words]) -> Iterable[str]:
    """One reason for what is needed, one for what only makes the matcher slower to notice."""
    hints = [words for words in missing if words[0] in HINTS]
    for which, effect in (
        ([words for words in missing if words not in hints], "the service needs that"),
        (hints, "without it work waits up to a second to be noticed"),
    ):
        if which:
            named = ", ".join(map(_name, which[:NAMED]))
            more = f" and {len(which) - NAMED} more" if len(which) > NAMED else ""
            yield f"the Redis user may not {named}{more}: {effect}; see docs/operations.md"


def _name(words: Words) -> str:
    """The command and its key, without the other arguments."""
    key = next((word for word in words if word.startswith(PREFIX)), "")
    count = 2 if words[0] in SUBCOMMANDS else 1
    return " ".join((*words[:count], key)).strip()
