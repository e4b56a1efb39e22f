"""How the parts of one market do, for ops: matchers, queues, the store, what failed and lies aside."""

from __future__ import annotations

from contracts.base import Instant, Tally, Wire


class MatcherHealth(Wire, omit_defaults=False):
    """One process that can match the market. `owns`: it has the lease now."""

    name: str
    owns: bool
    alive_s: float  # real seconds for which it is still taken for alive, unless it says so again


class QueueHealth(Wire, omit_defaults=False):
    """One stream as one of its consumer groups reads it. `oldest_s`: what was given out and not finished."""

    stream: str
    group: str
    entries: Tally  # that it holds, finished ones that are still kept among them
    unread: Tally | None  # null: the server cannot tell
    unfinished: Tally
    oldest_s: float | None = None  # real seconds


class QueueTotal(Wire, omit_defaults=False):
    """All streams of one kind together; `unread` leaves out those of which the server cannot tell."""

    kind: str
    streams: Tally
    unread: Tally
    unfinished: Tally


class StoreHealth(Wire, omit_defaults=False):
    """The Redis server behind the service."""

    ready: bool
    durable: bool
    reasons: tuple[str, ...] = ()
    version: str = ""
    uptime_s: Tally = 0
    memory_bytes: Tally = 0
    memory_limit_bytes: Tally = 0  # 0: none
    log_bytes: Tally = 0  # of the append-only file
    clients: Tally = 0
    commands_per_s: Tally = 0


class NotificationHealth(Wire, omit_defaults=False):
    """Notifications: planned for later, due and not yet taken, failed (see `GET …/notifications`)."""

    planned: Tally = 0
    due: Tally = 0
    failed: Tally = 0
    oldest_due_s: float | None = None  # by the service's clock


class MarketHealth(Wire, omit_defaults=False):
    """Everything about how one market is served, as it is this moment.

    `held_s`, `batch_age_s`, `waiting`, `oldest_s` and what is said of workers as in `/readyz`. `troubles`:
    what fails now, by part; `counts`: how often each came since the store was new. `strange`: keys that hold
    what is not theirs.
    """

    at: Instant
    owner: str  # the matcher that has the market; "": none
    fence: str  # the number of its lease
    held_s: float | None
    batch_age_s: float | None
    waiting: Tally
    oldest_s: float
    matchers: tuple[MatcherHealth, ...]
    totals: tuple[QueueTotal, ...]
    queues: tuple[QueueHealth, ...]  # the fullest ones
    store: StoreHealth
    notifications: NotificationHealth
    dead_letters: Tally
    troubles: dict[str, str]
    counts: dict[str, int]
    workers: Tally | None = None  # null: its matcher is to ask none
    workers_busy: Tally | None = None
    tasks_waiting: Tally | None = None
    oldest_task_s: float | None = None  # null: none waits
    strange: tuple[str, ...] = ()
