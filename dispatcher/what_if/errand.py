"""What a process needs to read by itself what a what-if compares: it holds up no loop of the matcher's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from contracts.what_if import WhatIfRequest
from dispatcher.runtime.clock import Clock
from dispatcher.security.key_files import read_patient_keys
from dispatcher.store.store import Store
from dispatcher.what_if.preparing import Prepared, prepared
from solvers.travel import DetourTravel


@dataclass(frozen=True)
class Errand:
    """Of one market. Goes to another process as it is; no line of a log shows where the store is."""

    url: str
    patient_keys_file: Path
    identity: str
    market: str
    tz: ZoneInfo
    clock: Clock
    asked: WhatIfRequest | None = None

    def __repr__(self) -> str:
        """Without the URL, which may hold a password."""
        return f"Errand({self.market})"

    async def run(self) -> Prepared:
        """What is to be compared. Raises Invalid, Unavailable, KeyFileError."""
        assert self.asked is not None  # noqa: S101  (the runner says what is asked)
        ring = read_patient_keys(self.patient_keys_file)
        async with Store(self.url, ring, identity=self.identity) as store:
            stored = store.market(self.market)
            return await prepared(stored, self.tz, self.clock, DetourTravel.of, self.asked)
