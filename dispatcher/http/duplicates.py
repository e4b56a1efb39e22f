"""A refusal of what may be asked for twice, as the caller of one request or of many reads it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from contracts.duplicates import Duplicate
from contracts.requests import Request
from dispatcher.domain.refusals import PossibleDuplicate
from dispatcher.http.metrics import Metrics


def with_pointers(
    refusal: PossibleDuplicate, several: Sequence[Request], metrics: Metrics
) -> PossibleDuplicate:
    """The refusal, which says where in the body each duplicate stands (`several`: its requests); counted."""
    found: list[Duplicate] = refusal.facts["duplicates"]
    metrics.duplicates.inc(len(found))
    places = {each.id: f"/requests/{place}" for place, each in enumerate(several)}
    told = [replace(each, pointer=places.get(each.request_id, "")) for each in found]
    return PossibleDuplicate(refusal.detail, **refusal.facts | {"duplicates": told})
