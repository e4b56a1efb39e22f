"""Requests and vendors that make planning raise: a defect, met in what they hold. They are set aside.

A batch is planned as a whole, so one such item would stop its market for ever. It is left out instead, told
like what cannot be read (`unreadable` of kind `plan.<rule or step>`), and its request becomes a task; all
others are planned. A request is tried again by itself now and then, and at once when it or the tuning is
another; a vendor when its document is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import structlog

from dispatcher.domain.commands.set_aside import PLAN
from dispatcher.matching.faults import MOST, NO_FAULT_OF_AN_ITEM, step_of
from dispatcher.matching.snapshot import Snapshot
from dispatcher.runtime.errors import kind_of_failure
from dispatcher.store.aside import Aside, Item

AGAIN_S = 30.0  # real: so often one is tried by itself
Made = TypeVar("Made")
log = structlog.get_logger()


class NotPlanned(Exception):
    """What planning a snapshot raised: `error`."""

    def __init__(self, snapshot: Snapshot, error: Exception) -> None:
        super().__init__(kind_of_failure(error))
        self.snapshot, self.error = snapshot, error


@contextmanager
def planning(snapshot: Snapshot) -> Iterator[None]:
    """While nothing but this snapshot is worked on. Raises NotPlanned."""
    try:
        yield
    except NO_FAULT_OF_AN_ITEM:
        raise
    except Exception as error:
        raise NotPlanned(snapshot, error) from error


@dataclass(eq=False)
class Unplanned:
    """The requests of a market that its matcher has set aside, and since when; `told` hears of each."""

    market: str
    told: Aside
    since_s: dict[str, float] = field(default_factory=dict)  #: by request, real; when it was last tried
    suspects: dict[str, Sequence[str]] = field(default_factory=dict)  #: with which vendors alone it raised

    def made(self, request_id: str, make: Callable[[], Made]) -> Made | None:
        """What is made of one request; None: that raised, and it is set aside."""
        try:
            return make()
        except NO_FAULT_OF_AN_ITEM:
            raise
        except Exception as error:
            self.note(request_id, error)
            return None

    def note(self, request_id: str, error: Exception, suspects: Sequence[str] = ()) -> None:
        """Set it aside; `suspects`: see `culprits`. Raises `error` where too many are already."""
        if request_id not in self.since_s and len(self.since_s) >= MOST:
            raise error
        self.since_s[request_id] = time.monotonic()
        self.suspects[request_id] = suspects or self.suspects.get(request_id, ())
        item = Item(f"{PLAN}{step_of(error)}", request_id)
        if item not in self.told.known(self.market):
            log.error("not_planned", market=self.market, request=request_id, exc_info=error)
        self.told.note_again(self.market, item, kind_of_failure(error))

    def others(self, some: Sequence[Made], key: Callable[[Made], object]) -> Sequence[Made]:
        """Those of these that are not set aside; `key`: the id."""
        return [each for each in some if key(each) not in self.since_s] if self.since_s else some

    def due(self) -> list[str]:
        """Those that were not tried for a while."""
        now_s = time.monotonic()
        return [name for name, at_s in self.since_s.items() if now_s - at_s >= AGAIN_S]

    def suspected(self) -> set[str]:
        """Vendors with whom alone those raised that are set aside."""
        return {vendor for name in self.since_s for vendor in self.suspects[name]}

    def free_of(self, vendor_ids: Collection[str]) -> None:
        """These are left out: who raised with them may be planned again."""
        self.free([name for name in self.since_s if not set(vendor_ids).isdisjoint(self.suspects[name])])

    def free(self, ids: Iterable[str]) -> None:
        """They may be planned again."""
        for each in ids:
            self.since_s.pop(each, None)
            self.suspects.pop(each, None)
