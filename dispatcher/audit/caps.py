"""Whether what is counted against caps is what offers hold, and caps are checked as they were set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from dispatcher.domain.caps import CAP_KIND, GONE, CapRecord, Charged, fields, held
from dispatcher.domain.request_kind import REQUEST_KIND
from dispatcher.domain.requests import RequestRecord
from dispatcher.store.caps import limits
from dispatcher.store.survey import Survey, of_kind

Finding = tuple[str, str]


def miscounted(found: Survey) -> Iterator[Finding]:
    """Counted is what stored requests hold and what those held that are forgotten; each cap stands as set."""
    yield from _counts(found)
    records = found.of_kind(CAP_KIND, CapRecord)
    hidden = found.damaged.get(CAP_KIND.name, set())
    for name in sorted((records.keys() | found.cap_limits.keys()) - hidden):
        one = records.get(name)
        if found.cap_limits.get(name, {}) != (dict(limits(one.caps)) if one is not None else {}):
            yield f"vendor {name}", "has caps that are not those that the store checks"


def _counts(found: Survey) -> Iterator[Finding]:
    if found.damaged.get(REQUEST_KIND.name):
        return
    wanted = Counter[tuple[str, str, str]]()
    for record in of_kind(found, REQUEST_KIND.name, RequestRecord):
        for to, amounts in held(record).items():
            for name, amount in zip(fields(to), amounts * 3, strict=True):
                wanted[_place(to, name)] += amount
    counted = Counter[tuple[str, str, str]]()
    for (vendor_id, year), counts in found.spent.items():
        for name, count in counts.items():
            sign = -1 if name.endswith(f":{GONE}") else 1
            counted[vendor_id, year, name.removesuffix(f":{GONE}")] += sign * count
    for place in sorted(wanted.keys() | counted.keys()):
        if wanted[place] != counted[place]:
            vendor_id, _, name = place
            yield f"cap {vendor_id} {name}", f"{counted[place]} counted, {wanted[place]} held by offers"


def _place(to: Charged, name: str) -> tuple[str, str, str]:
    return to.vendor_id, to.day[:4], name
