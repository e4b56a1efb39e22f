"""What a matcher hands over to be saved, and the head of the record that is made of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from zoneinfo import ZoneInfo

import msgspec

from contracts.tuning import Number
from dispatcher import __version__
from dispatcher.decisions.record import Header, Raw
from dispatcher.store.decisions import Entry
from solvers.horizon import local_day
from solvers.planning import BatchPlan, Limits
from solvers.screening import Screening


@dataclass(frozen=True, eq=False, kw_only=True)
class Decided:
    """One plan, committed as far as it could be."""

    kind: str
    at_ms: int
    screening: Callable[[], Screening]  #: as it was when the plan was made; called beside the work
    held_bytes: int  #: what keeping it keeps in memory
    plan: BatchPlan
    limits: Limits | None  #: of the optimiser; None: it was not asked
    values: Mapping[str, Number]
    tuning_version: int
    requests: tuple[str, ...]
    waiting: int
    vendors: tuple[str, ...]
    versions: tuple[int, ...]
    postings: Mapping[str, int]
    pools: tuple[str, ...]
    became: tuple[str, ...]
    quoted: tuple[tuple[int, int, int], ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Looked:
    """What was only looked at, and is planned beside the work: whoever asked has the answer."""

    kind: str
    held_bytes: int
    values: Mapping[str, Number]
    make: Callable[[], Decided]


def linked(raw: Raw, before: Entry | None, place: int) -> Raw:
    """The record at a place of the chain, behind that one; None: what was before it is forgotten."""
    header = msgspec.structs.replace(raw.header, seq=place, previous=before.hash if before else b"")
    return replace(raw, header=header)


def header_of(market: str, tz: ZoneInfo, decided: Decided, nth: int) -> Header:
    """What stands at the head of its record, before it has its place in the chain."""
    plan, limits = decided.plan, decided.limits or Limits(time_limit_s=0.0)
    return Header(
        market=market,
        digest=plan.digest,
        kind=decided.kind,
        nth=nth,
        at_ms=decided.at_ms,
        day=local_day(decided.at_ms, tz).isoformat(),
        solver=plan.solver,
        software=__version__,
        seed=limits.seed,
        time_limit_s=limits.time_limit_s,
        work_limit=limits.work_limit,
        workers=limits.workers,
        parts=limits.parts,
        seconds=round(plan.seconds, 4),
        tuning_version=decided.tuning_version,
        requests=decided.requests,
        waiting=decided.waiting,
        vendors=decided.vendors,
        versions=decided.versions,
        postings=decided.postings,
        pools=decided.pools,
        became=decided.became,
        matched=len(plan.chosen),
        cost=plan.cost,
        bound=plan.bound,
        quoted=decided.quoted,
    )
