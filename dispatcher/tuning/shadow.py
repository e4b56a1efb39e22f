"""What a shadow can see of a candidate, and what its batches add up to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from contracts.tuning_shadow import RECENT, ShadowBatch, ShadowFound
from contracts.tuning_versions import ParameterChange
from dispatcher.domain.refusals import Invalid

#: scopes of what is read while a batch is planned; windows, travel and offers are as they are in force
SEEN = (
    "rules.",
    "solvers.candidates",
    "solvers.durations",
    "solvers.formulation",
    "solvers.slots",
    "solvers.stability",
)


def unseen(changes: Iterable[ParameterChange]) -> tuple[str, ...]:
    """The parameters that a batch beside the other says nothing about."""
    return tuple(each.name for each in changes if not each.scope.startswith(SEEN))


def refuse_unseen(changes: Sequence[ParameterChange]) -> None:
    """Raises Invalid for a candidate of which a shadow would see nothing."""
    if not changes:
        raise Invalid("the candidate is what stands\nMaybe change at least one parameter.")
    if len(unseen(changes)) == len(changes):
        raise Invalid(
            f"{', '.join(unseen(changes))}: no batch is planned otherwise by that alone\n"
            "Maybe ask a what-if of a day: it plays offers, answers and time, too."
        )


def with_batch(found: ShadowFound, of: int, batch: ShadowBatch | None, skipped: int) -> ShadowFound:
    """With one batch more (None: it failed), and those that were passed over meanwhile; of another, anew."""
    if found.of != of:
        found = ShadowFound(of=of)
    found = replace(found, skipped=found.skipped + skipped)
    if batch is None:
        return replace(found, failed=found.failed + 1)
    return replace(
        found,
        batches=found.batches + 1,
        requests=found.requests + batch.requests,
        moved=found.moved + batch.moved,
        gained=found.gained + batch.gained,
        lost=found.lost + batch.lost,
        anyway=found.anyway + batch.anyway,
        cents=found.cents + batch.cents,
        recent=(*found.recent, batch)[-RECENT:],
    )
