"""What is saved of a plan once its matches are committed: see `dispatcher.decisions`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from dispatcher.decisions.decided import Decided, Looked
from dispatcher.decisions.record import QUOTE
from dispatcher.decisions.replay import OPTIMISER
from dispatcher.matching.snapshot import Snapshot
from solvers.planning import BatchPlan, plan
from solvers.screening import Screening

QUOTED, LOOKED_AT = "quoted", "looked_at"  # what became of what books nothing
Quoted = tuple[tuple[int, int, int], ...]
NOT_SAID = "not_said"  # the matcher lost the market amid its commits


class Keeps(Protocol):
    """Who saves decisions: `dispatcher.decisions.saver.Saver`."""

    def keep(self, decided: Decided | Looked) -> None:
        """Have it written some time; never waits, never fails."""
        ...


def decided(
    kind: str,
    snapshot: Snapshot,
    screening: Screening,
    made: BatchPlan,
    *,
    became: Mapping[str, str],
) -> Decided:
    """`screening`: what the plan was made from; its capacity is what is left of it by now."""
    reading, ids = snapshot.reading, tuple(each.request.id for each in snapshot.asked)
    chosen = made.chosen

    def as_it_was() -> Screening:
        return replace(screening, supply=snapshot.before().supply)

    return Decided(
        kind=kind,
        at_ms=snapshot.now_ms,
        screening=as_it_was,
        held_bytes=screening.supply.nbytes,
        plan=made,
        limits=made.limits if made.solver == OPTIMISER else None,
        values=snapshot.values,
        tuning_version=reading.tuning.version,
        requests=ids,
        waiting=len(snapshot.waiting),
        vendors=reading.vendor_ids,
        versions=reading.vendor_versions,
        postings=reading.posting_versions,
        pools=tuple(
            snapshot.capacity.resource_id(vendor, resource)
            for vendor, resource in zip(chosen.vendor.tolist(), chosen.resource.tolist(), strict=True)
        ),
        became=tuple(became.get(ids[row], NOT_SAID) for row in chosen.request.tolist()),
    )


def looked(snapshot: Snapshot, screening: Screening, quoted: Quoted) -> Looked:
    """What a quote was made from; its plan, the greedy's, is made once it is saved: nobody waits for it."""

    def make() -> Decided:
        made = plan(screening)
        became = {each.request.id: QUOTED for each in snapshot.asked}
        return replace(decided(QUOTE, snapshot, screening, made, became=became), quoted=quoted)

    return Looked(kind=QUOTE, held_bytes=screening.supply.nbytes, values=snapshot.values, make=make)
