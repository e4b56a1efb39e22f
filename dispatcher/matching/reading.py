"""All that was read of a market's vendors at one moment: tuning, documents, postings, ledgers, scorecards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from zoneinfo import ZoneInfo

from contracts.capacity import Capacity
from contracts.instants import MINUTE_MS
from contracts.tuning import Number, Tuning
from contracts.vendors import Vendor
from dispatcher.domain.fairness import Groups, days
from dispatcher.domain.proposal import Precondition
from dispatcher.domain.refusals import Unreadable
from dispatcher.matching import caps
from dispatcher.matching.capacity import CapacityBook, Postings, ledger_keys, limits_of
from dispatcher.matching.changes import Changes
from dispatcher.matching.encoded import Documents, LeftOuts, VendorsRead, encoded, still_left_out
from dispatcher.matching.horizon import horizon_of
from dispatcher.matching.knowledge import read_knowledge
from dispatcher.store.codec import Versioned
from dispatcher.store.market import MarketStore
from solvers.encoding import VendorBook
from solvers.horizon import Horizon
from solvers.rules import cap, pool_limits
from solvers.screening import VendorKnowledge

Posting = tuple[str, str]  #: vendor and ISO day
GROUPS_MS = 5 * MINUTE_MS


@dataclass(frozen=True, eq=False)
class Reading:
    """Replaced as a whole, so no snapshot mixes two; what changed while it was read, preconditions catch."""

    tuning: Tuning
    documents: Mapping[str, Versioned[Vendor]]
    book: VendorBook
    capacity: CapacityBook  #: what is left of it goes down as offers are stored
    versions: Mapping[tuple[str, str], int]  #: by vendor and ISO day ("": the vendor itself)
    changes: Changes
    groups: Groups = field(default_factory=dict)  #: how groups of requests fared in the last days
    groups_ms: int = 0  #: when that was read
    knowledge: VendorKnowledge = field(default_factory=dict)  #: what became of vendors' work
    left_out: LeftOuts = field(default_factory=dict)  #: vendors that cannot be planned with

    @property
    def values(self) -> Mapping[str, Number]:
        """The tuning in force."""
        return self.tuning.values

    @cached_property
    def vendor_ids(self) -> tuple[str, ...]:
        """In the order of the arrays."""
        return tuple(each.id for each in self.book.vendors)

    @cached_property
    def vendor_versions(self) -> tuple[int, ...]:
        """In the same order."""
        return tuple(self.versions.get((each, ""), 0) for each in self.vendor_ids)

    @cached_property
    def posting_versions(self) -> Mapping[str, int]:
        """By vendor/day."""
        return {"/".join(key): version for key, version in self.versions.items() if key[1] and version}

    def preconditions(self, vendor_id: str, days: Iterable[str]) -> tuple[Precondition, ...]:
        """What a match with this vendor on these days rests on."""
        documents = [(vendor_id, day) for day in ("", *days)]
        return tuple(Precondition(*each, self.versions.get(each, 0)) for each in documents)


async def read_market(
    stored: MarketStore,
    tz: ZoneInfo,
    now_ms: int,
    *,
    before: Reading | None = None,
    until_ms: int = 0,
    only: str = "",
    lightly: bool = False,
) -> Reading:
    """Read it now. What is as it was in `before` is not encoded again.

    `until_ms`: of days up to this one, though it lies beyond the horizon. `only`: one vendor, if it is there.
    `lightly`: what became of vendors' work is taken from `before`: it is much to read, and changes little.
    """
    tuning = await stored.tuning.in_force(now_ms)
    documents, left_out = await _documents(stored, only, _left_out_by(before, tuning))
    horizon = horizon_of(tz, now_ms, tuning.values, until_ms)
    postings = _of(documents, await stored.capacity.get_all(horizon.days))
    posted = {posting: each.value for posting, each in postings.items()}
    ledgers = await stored.capacity.ledger(ledger_keys(posted))
    light = lightly and before is not None and before.tuning == tuning
    knowledge = before.knowledge if light and before else await read_knowledge(stored, now_ms, tuning.values)
    known = await _known(stored, knowledge, posted, horizon)
    groups, groups_ms = await _groups(stored, now_ms, before, lightly=light)
    read = VendorsRead(documents, known, posted, ledgers, horizon, _same_book(before, documents))
    made = await encoded(stored, read, left_out, alone=bool(only))
    dated = {(vendor, ""): each for vendor, each in made.documents.items()} | postings
    return Reading(
        tuning=tuning,
        documents=made.documents,
        book=made.book,
        capacity=made.capacity,
        versions={key: each.version for key, each in dated.items()},
        changes=Changes(tz, {key: each.changed_ms for key, each in dated.items()}),
        groups=groups,
        groups_ms=groups_ms,
        knowledge=knowledge,
        left_out=made.left_out,
    )


async def _known(
    stored: MarketStore, knowledge: VendorKnowledge, posted: Postings, horizon: Horizon
) -> VendorKnowledge:
    """Of vendors beside their documents: with the limits of their pools and caps."""
    found = dict(knowledge) | {pool_limits.RULE.reads: limits_of(posted)}
    return found | {cap.RULE.reads: await caps.read(stored, horizon.days)}


def _left_out_by(before: Reading | None, tuning: Tuning) -> LeftOuts:
    """Vendors that are left out under this tuning; under another they are tried again."""
    is_same = before is not None and before.tuning.version == tuning.version
    return before.left_out if before is not None and is_same else {}


async def read_vendor(stored: MarketStore, reading: Reading, vendor_id: str) -> Reading | None:
    """The same with what one vendor posts, and has booked, now: of many vendors a hundredth of the work.

    None: it is another vendor, or carries something else, and all are to be read. The reading that is given
    is not to be used any more.
    """
    known, version = reading.documents.get(vendor_id), await _version(stored, vendor_id)
    if known is None or version != known.version:
        return None
    postings = await stored.capacity.of(vendor_id, reading.capacity.horizon.days)
    posted = {posting: each.value for posting, each in postings.items()}
    limits = reading.book.known[pool_limits.RULE.reads].get(vendor_id)
    if limits_of(posted).get(vendor_id) != limits:
        return None
    ledgers = await stored.capacity.ledger(ledger_keys(posted))
    capacity = reading.capacity.renewed(vendor_id, posted, ledgers)
    if capacity is None:
        return None
    gone = {key for key in reading.versions if key[0] == vendor_id and key[1]}
    versions = {key: each for key, each in reading.versions.items() if key not in gone}
    at_ms = {key: each for key, each in reading.changes.at_ms.items() if key not in gone}
    return replace(
        reading,
        capacity=capacity,
        versions=versions | {key: each.version for key, each in postings.items()},
        changes=replace(
            reading.changes, at_ms=at_ms | {key: each.changed_ms for key, each in postings.items()}
        ),
    )


async def _groups(
    stored: MarketStore, now_ms: int, before: Reading | None, *, lightly: bool
) -> tuple[Groups, int]:
    """As they were a few minutes ago at the most: a day's requests are slow to change a week's."""
    if before is not None and (lightly or 0 <= now_ms - before.groups_ms < GROUPS_MS):
        return before.groups, before.groups_ms
    return await stored.fairness.of(days(now_ms)), now_ms


async def _version(stored: MarketStore, vendor_id: str) -> int | None:
    """None: there is no such vendor, or it cannot be read, which a reading of all sets aside."""
    with contextlib.suppress(Unreadable):
        found = await stored.vendors.get(vendor_id)
        return None if found is None else found.version
    return None


def _of(
    vendors: Documents, postings: Mapping[Posting, Versioned[Capacity]]
) -> dict[Posting, Versioned[Capacity]]:
    return {key: each for key, each in postings.items() if key[0] in vendors}


def _same_book(before: Reading | None, documents: Documents) -> VendorBook | None:
    """As encoded before, of the very same documents."""
    return before.book if before is not None and before.documents == documents else None


async def _documents(stored: MarketStore, only: str, before: LeftOuts) -> tuple[Documents, LeftOuts]:
    """Of all vendors, or one, that are not left out still; and who is."""
    one = await stored.vendors.get(only) if only else None
    found = ({} if one is None else {only: one}) if only else await stored.vendors.get_all()
    left_out = still_left_out(stored, before, found)
    return {each: document for each, document in found.items() if each not in left_out}, left_out
