"""When vendors last changed what they may be asked: a refusal from before that does not bind them now."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from dispatcher.domain.requests import RequestRecord
from solvers.horizon import local_day


@dataclass(frozen=True)
class Changes:
    """Of vendors and of their postings, as last read."""

    tz: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    at_ms: Mapping[tuple[str, str], int] = field(default_factory=dict)  #: by vendor and ISO day ("": itself)

    def since_ms(self, vendor_id: str, record: RequestRecord) -> int:
        """When the vendor last changed, or posted more for a day on which the request may start."""
        window = {local_day(each, self.tz) for each in (record.earliest_ms, record.latest_ms)}
        days = ["", *(day.isoformat() for day in window)]
        return max(self.at_ms.get((vendor_id, day), 0) for day in days)

    def declined_by(self, record: RequestRecord) -> frozenset[str]:
        """Vendors that the request is not put to: they refused it as they are now."""
        return frozenset(
            each for each in record.declined_by if record.was_declined_by(each, self.since_ms(each, record))
        )
