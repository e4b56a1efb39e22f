"""What is saved of a plan once its matches are committed: see `dispatcher.decisions`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from dispatcher.decisions.decided import Decided
from dispatcher.decisions.replay import OPTIMISER
from dispatcher.matching.snapshot import Snapshot
from solvers.planning import BatchPlan
from solvers.screening import Screening

NOT_SAID = "not_said"  # the matcher lost the market amid its commits


class Keeps(Protocol):
    """Who saves decisions: `dispatcher.decisions.saver.Saver`."""

    def keep(self, decided: Decided) -> None:
        """Have it written some time; never waits, never fails."""
        ...


def decided(
    kind: str,
    snapshot: Snapshot,
    screening: Screening,
    plan: BatchPlan,
    *,
    became: Mapping[str, str],
) -> Decided:
    """`screening`: what the plan was made from; its capacity is what is left of it by now."""
    reading, ids = snapshot.reading, tuple(each.request.id for each in snapshot.asked)
    chosen = plan.chosen

    def as_it_was() -> Screening:
        return replace(screening, supply=snapshot.before().supply)

    return Decided(
        kind=kind,
        at_ms=snapshot.now_ms,
        screening=as_it_was,
        held_bytes=screening.supply.nbytes,
        plan=plan,
        limits=plan.limits if plan.solver == OPTIMISER else None,
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
