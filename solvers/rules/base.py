"""What a rule is. Each file beside this one holds one, as `RULE`; the registry finds it.

A *pair rule* says which vendors may serve a request at all. A *candidate rule* says so for one start time in
one resource (a pool). A *cost term* adds cents to a candidate. Each also has a scalar twin for one chosen
candidate, written apart from the vectorised form and reading the messages instead of the arrays: it judges
every match before it is committed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from contracts.tuning import Number, Parameter
from contracts.vendors import Vendor
from solvers.arrays import Arrays, Flags, Floats, Ints
from solvers.capacity.supply import Room
from solvers.horizon import Horizon
from solvers.screening import Facts, OpenRequest, Screening
from solvers.slots import Slots, slots
from solvers.starts import NO_BEGINS, Begins, Options

Made = TypeVar("Made")


@dataclass(frozen=True, eq=False)
class View:
    """Some requests (a chunk of r) beside all V vendors, as one rule sees them."""

    screening: Screening
    rows: slice
    code: str
    memo: dict[str, Any] = field(default_factory=dict)  #: shared by the rules that look at this chunk
    common: dict[str, Any] = field(default_factory=dict)  #: shared by all chunks of a screening

    def seen_by(self, code: str) -> View:
        """The same chunk as another rule sees it."""
        return View(self.screening, self.rows, code, self.memo, self.common)

    def once_for_all(self, name: str, make: Callable[[], Made]) -> Made:
        """What several chunks need of the vendors, made once."""
        if name not in self.common:
            self.common[name] = make()
        found: Made = self.common[name]
        return found

    def once(self, name: str, make: Callable[[], Made]) -> Made:
        """What several rules need of this chunk, made once."""
        if name not in self.memo:
            self.memo[name] = make()
        found: Made = self.memo[name]
        return found

    @property
    def values(self) -> Mapping[str, Number]:
        """The tuning in force, for `Parameter.of`."""
        return self.screening.values

    @property
    def vendors(self) -> int:
        """V."""
        return self.screening.vendors

    @property
    def facts(self) -> Facts:
        """What many rules read of the r requests."""
        return self.once("facts", lambda: self.screening.facts[self.rows])

    @property
    def slots(self) -> Slots:
        """The starts that the r requests may have."""
        return self.once("slots", self._slots)

    def _slots(self) -> Slots:
        facts, screening = self.facts, self.screening
        now_ms, end_ms = screening.now_ms, screening.horizon.end_ms
        return slots(facts.earliest_ms, facts.latest_ms, now_ms, end_ms, self.values)

    @cached_property
    def request(self) -> dict[str, npt.NDArray[Any]]:
        """What this rule encoded of the r requests."""
        return {
            name: array[self.rows] for name, array in self.screening.of_requests.get(self.code, {}).items()
        }

    @property
    def vendor(self) -> Mapping[str, npt.NDArray[Any]]:
        """What this rule encoded of the vendors; nothing, if it came after the screening was saved."""
        return self.screening.of_vendors.get(self.code, {})


@dataclass(frozen=True, eq=False)
class Candidates:
    """n candidates (request, vendor, resource, start); every array has n entries, requests ascending."""

    request: Ints  #: row within the chunk
    vendor: Ints
    resource: Ints  #: of the vendor's capacity: which of its pools
    start_ms: Ints
    service_ms: Ints  #: until the work is done
    taken_ms: Ints  #: until the unit is free again
    metres: Floats  #: ride by road, 0 for equipment

    def only(self, keep: Flags | Ints) -> Candidates:
        """Those that `keep` marks (n flags) or lists (indices)."""
        rows = np.flatnonzero(keep) if keep.dtype == np.bool_ else keep  # once, not once a field
        return Candidates(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    def at(self, row: int) -> Numbers:
        """One of them, as plain numbers."""
        return Numbers(*(getattr(self, name)[row].item() for name in self.__dataclass_fields__))

    def __len__(self) -> int:
        return len(self.request)


class Numbers(NamedTuple):
    """One candidate of `Candidates`, field by field."""

    request: int
    vendor: int
    resource: int
    start_ms: int
    service_ms: int
    taken_ms: int
    metres: float


@dataclass(frozen=True, kw_only=True, eq=False)
class Candidate:
    """One candidate in the words of the messages, for the scalar checks. Compared by identity."""

    asked: OpenRequest
    vendor: Vendor
    start_ms: int
    end_ms: int  #: the work is done
    free_ms: int  #: the unit is free again
    metres: float
    room: Room  #: what is left of the chosen resource on that day
    known: Mapping[str, Any]  #: of this vendor beside its document, by subject (`Rule.reads`), if known
    now_ms: int
    horizon: Horizon
    values: Mapping[str, Number]
    resource: int = 0  #: of the vendor's capacity: which of its pools


class Rule(ABC):
    """What every rule and cost term has. `order` sorts them: cheap and telling ones first."""

    code: ClassVar[str]
    order: ClassVar[int] = 50
    parameters: ClassVar[tuple[Parameter, ...]] = ()
    relaxable: ClassVar[bool] = False  #: whether operations may let a hard rule yield for one vendor
    passing: ClassVar[bool] = (
        False  #: whether whom it removes may come back with no one changing a vendor: room frees
    )
    unit: ClassVar[str] = ""  #: of `short_by`; "" for a rule that is yes or no
    reads: ClassVar[str] = ""  #: the subject known of vendors beside their documents that `of_known` encodes

    def of_requests(self, asked: Sequence[OpenRequest], vendor_index: Mapping[str, int]) -> Arrays:
        """Encode what only this rule reads of R requests: arrays with R rows. `vendor_index`: id to row."""
        return {}

    def of_vendors(self, vendors: Sequence[Vendor]) -> Arrays:
        """Encode what only this rule reads of V vendors; kept until a vendor changes."""
        return {}

    def of_known(self, vendors: Sequence[Vendor], known: Mapping[str, Any]) -> Arrays:
        """Encode what is known under `reads` of V vendors (`known`: by id); kept until that changes."""
        return {}

    def short_by(self, view: View, candidates: Candidates) -> Ints:
        """For explanations (n): by how much of `unit` the rule would have to yield; 0 where it need not."""
        return np.zeros(len(candidates), np.int64)


class PairRule(Rule):
    """A hard rule on (request, vendor)."""

    @abstractmethod
    def mask(self, view: View) -> Flags:
        """True where the vendor may serve: (r, V), or (r, 1) or (1, V), which broadcast."""

    @abstractmethod
    def permits(self, one: Candidate) -> bool:
        """The same for one candidate, from the messages."""


class CandidateRule(Rule):
    """A hard rule on (request, vendor, resource, start)."""

    def begins(self, view: View, options: Options) -> Begins:
        """Starts within the options' windows at which the rule begins to allow what it refused just before.

        A rule that depends on the start and not on an end names them, so that no window is too wide for it.
        """
        return NO_BEGINS

    @abstractmethod
    def mask(self, view: View, candidates: Candidates) -> Flags:
        """True where the candidate may stand: (n)."""

    @abstractmethod
    def permits(self, one: Candidate) -> bool:
        """The same for one candidate, from the messages."""


class CostTerm(Rule):
    """A cost of a candidate, in cents."""

    @abstractmethod
    def cents(self, view: View, candidates: Candidates) -> Ints:
        """Cents (n); may be negative."""

    @abstractmethod
    def cents_of(self, one: Candidate) -> int:
        """The same for one candidate, from the messages."""


def whole(cents: npt.NDArray[Any]) -> Ints:
    """Rounded to whole cents, halves up, as the scalar twins do with `whole_cents`."""
    return np.floor(cents + 0.5).astype(np.int64)


def whole_cents(cents: float) -> int:
    """Rounded to a whole cent, halves up."""
    return int(np.floor(cents + 0.5))
