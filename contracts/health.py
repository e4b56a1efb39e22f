"""Whether the service takes work."""

from __future__ import annotations

import msgspec


class Matching(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a market is matched. Real seconds, but for `oldest_s`, which is by the service's clock.

    `held_s`: for how long a matcher has had the market; null: none has it. `batch_age_s`: since its last
    batch ended (or since it was taken); null: never. `waiting`: requests that wait for a vendor, `oldest_s`:
    the first of them for how long. `workers`: so many on other machines solve its batches; 0: none is
    there, the matcher solves by itself; null: it is not to ask any (DISPATCHER_BROKER_URL). `workers_busy`:
    so many of them have a task; `tasks_waiting`: solves, of any market, that none has taken yet,
    `oldest_task_s`: the first of them, for how long; null where `workers` is, the last where none waits.
    """

    held_s: float | None = None
    batch_age_s: float | None = None
    waiting: int = 0
    oldest_s: float = 0.0
    workers: int | None = None
    workers_busy: int | None = None
    tasks_waiting: int | None = None
    oldest_task_s: float | None = None


class Routing(msgspec.Struct, frozen=True, kw_only=True):
    """How the routing server does, as the web process has it; without it rides are estimated.

    `server`: osrm or valhalla. `answers`: as it was asked last; null: not asked yet. `trouble`: the kind of
    its last failure. `pairs`: of so many pairs of points something is known; `waiting`: so many are wanted.
    """

    server: str
    answers: bool | None = None
    trouble: str = ""
    pairs: int = 0
    waiting: int = 0


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the service can take work, and why not.

    `matching`: how it goes in each market; a market that nobody matches takes requests all the same.
    `markets`: those of which a part fails now and is tried again, each with the part and the kind of failure;
    and those of which something stored cannot be read and is passed over (`set_aside`): how many of a kind.
    The others are not concerned.
    `reasons`: all that is wrong. Where others of a cluster's servers have markets of ours, we are ready all
    the same (`durable` is false); `matching` and `markets` are then of these markets alone.
    `routing`: the routing server, if there is to be one (DISPATCHER_TRAVEL_URL); we are ready without it.
    """

    ready: bool
    durable: bool = False
    reasons: tuple[str, ...] = ()
    matching: dict[str, Matching] = {}
    markets: dict[str, dict[str, str]] = {}
    routing: Routing | None = None
