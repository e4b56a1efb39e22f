"""What is saved of a plan once its matches are committed: see `dispatcher.decisions`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple, Protocol
from weakref import WeakKeyDictionary

from dispatcher.decisions.replay import OPTIMISER
from dispatcher.decisions.saver import Decided
from dispatcher.matching.reading import Reading
from dispatcher.matching.snapshot import Snapshot
from solvers.planning import BatchPlan
from solvers.screening import Screening

NOT_SAID = "not_said"  # the matcher lost the market amid its commits


class Keeps(Protocol):
    """Who saves decisions: `dispatcher.decisions.saver.Saver`."""

    def keep(self, decided: Decided) -> None:
        """Have it written some time; never waits, never fails."""
        ...


class _Said(NamedTuple):
    """What a reading says of the vendors: the same for every plan that is made from it."""

    vendors: tuple[str, ...]
    versions: tuple[int, ...]
    postings: Mapping[str, int]


_SAID = WeakKeyDictionary[Reading, _Said]()


def _said(reading: Reading) -> _Said:
    found = _SAID.get(reading)
    if found is None:
        vendors = tuple(each.id for each in reading.book.vendors)
        versions = tuple(reading.versions.get((each, ""), 0) for each in vendors)
        postings = {"/".join(key): each for key, each in reading.versions.items() if key[1] and each}
        found = _SAID[reading] = _Said(vendors, versions, postings)
    return found


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
    said = _said(reading)

    def as_it_was() -> Screening:
        return replace(screening, supply=snapshot.before().supply)

    return Decided(
        kind=kind,
        at_ms=snapshot.now_ms,
        screening=as_it_was,
        held_bytes=sum(each.nbytes for each in screening.supply.arrays().values()),
        plan=plan,
        limits=plan.limits if plan.solver == OPTIMISER else None,
        values=snapshot.values,
        tuning_version=reading.tuning.version,
        requests=ids,
        waiting=len(snapshot.waiting),
        vendors=said.vendors,
        versions=said.versions,
        postings=said.postings,
        pools=tuple(
            snapshot.capacity.resource_id(vendor, resource)
            for vendor, resource in zip(chosen.vendor.tolist(), chosen.resource.tolist(), strict=True)
        ),
        became=tuple(became.get(ids[row], NOT_SAID) for row in chosen.request.tolist()),
    )
