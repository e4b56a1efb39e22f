"""What is counted against caps: hashes of a vendor and year, checked and written in the commit that books."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date

from contracts.caps import Cap, CapPeriod
from contracts.instants import DAY_MS
from dispatcher.domain.caps import (
    CAP_KIND,
    CAPPED,
    GONE,
    UNITS,
    CapRecord,
    Charge,
    changes_of_requests,
    charges,
    dearer,
    field,
    fields,
)
from dispatcher.domain.decision import Change
from dispatcher.store.aside import Item
from dispatcher.store.keys import Keys
from dispatcher.store.node import Node
from dispatcher.store.program import Program
from dispatcher.store.records import Records
from dispatcher.store.resp import text_of

KEPT_MS = 800 * DAY_MS  # since something was last counted: a year is over, and that after it
COUNT = "count against a cap"  # what is set aside
Used = Mapping[str, int]  #: by field (`domain.caps.field`)


def add_charges(program: Program, keys: Keys, changes: Collection[Change]) -> None:
    """Count what these changes book for a payer and give back; more than a cap allows is refused."""
    of_payers = changes_of_requests(changes)
    if not of_payers:
        return
    found, agreed = charges(of_payers), dearer(of_payers)
    checked = bool(agreed) or any(each.trips > 0 for each in found)
    for each in found:
        vendor_id = each.to.vendor_id
        key = keys.spent(vendor_id, each.to.day[:4])
        if checked and not each.gone:
            is_new = each.trips > 0 or each.to in agreed
            cents = each.cents if is_new else min(0, each.cents)  # what waiting adds is no new work
            program.cap(each.to, keys.cap_limits(vendor_id), key, each.trips, cents)
        _add_counts(program, key, each)


def _add_counts(program: Program, key: str, charge: Charge) -> None:
    behind = f":{GONE}" if charge.gone else ""
    for name, amount in zip(fields(charge.to), (charge.trips, charge.cents) * len(CapPeriod), strict=True):
        if amount:
            program.write(key, "HINCRBY", name + behind, amount)
    program.write(key, "PEXPIRE", KEPT_MS)


def add_limits(program: Program, keys: Keys, changes: Iterable[Change]) -> None:
    """Write caps anew as the store checks them: `<payer>:<period>:<unit>` → the most."""
    for change in changes:
        if isinstance(change.after, CapRecord):
            key = keys.cap_limits(change.after.id)
            program.write(key, "DEL")
            for name, most in limits(change.after.caps):
                program.write(key, "HINCRBY", name, most)


def limits(caps: Iterable[Cap]) -> list[tuple[str, int]]:
    """Each limit that there is."""
    told = [(each, unit, getattr(each, unit)) for each in caps for unit in UNITS]
    return [
        (f"{each.payer}:{each.period.value}:{unit}", most) for each, unit, most in told if most is not None
    ]


class CapPart:
    """The caps of one market, and what is used of them."""

    def __init__(self, node: Node, keys: Keys) -> None:
        self.reader, self.aside, self.keys = node.reader, node.aside, keys
        self.records = Records(node, keys, CAP_KIND)

    async def get_all(self) -> Mapping[str, Sequence[Cap]]:
        """Those of every vendor that has any, as far as they can be read."""
        ids = await self.reader.ask("ZRANGE", self.keys.list(CAPPED), 0, -1)
        if not ids:
            return {}
        found = await self.records.get_all([text_of(each) for each in ids])
        return {name: each.caps for name, each in found.items()}

    async def used(self, wanted: Iterable[tuple[str, Cap, date]]) -> dict[tuple[str, str], int]:
        """What is used of each vendor's caps in the periods that these days lie in, by vendor and field."""
        names = dict[tuple[str, str], dict[str, None]]()
        for vendor_id, cap, day in wanted:
            asked_of = names.setdefault((vendor_id, day.isoformat()[:4]), {})
            asked_of |= dict.fromkeys(field(cap.payer, day.isoformat(), cap.period, unit) for unit in UNITS)
        asked = [("HMGET", self.keys.spent(*each), *some) for each, some in names.items()]
        told = await self.reader.ask_each(asked) if asked else []
        found = dict[tuple[str, str], int]()
        for ((vendor_id, year), some), counts in zip(names.items(), told, strict=True):
            if isinstance(counts, Exception):
                self.aside.note(self.keys.market, Item(COUNT, f"{vendor_id}:{year}"), "another type")
                continue
            read = zip(some, counts, strict=True)
            pairs = [(f"{vendor_id}:{name}", count) for name, count in read if count is not None]
            numbers = self.aside.read_all(self.keys.market, COUNT, pairs, int)
            found |= {(vendor_id, name): numbers.get(f"{vendor_id}:{name}", 0) for name in some}
        return found


def used_of(found: Mapping[tuple[str, str], int], vendor_id: str, cap: Cap, day: date, unit: str) -> int:
    """How much of a cap is used, of what `used` found."""
    return found.get((vendor_id, field(cap.payer, day.isoformat(), cap.period, unit)), 0)
