"""What a vendor reports while it does the work."""

from __future__ import annotations

from contracts.base import Instant, Wire, refuse_odd_year
from contracts.codes import ReportCode, TrackingStatus


class StatusUpdate(Wire):
    """One report on a dispatch: en route, at pick-up, on board, completed, no-show, failed, turned back."""

    status: TrackingStatus
    at: Instant | None = None  # when it happened; left out: when it was received
    code: ReportCode | None = None

    def __post_init__(self) -> None:
        """Refuse a time that no calendar of ours holds."""
        refuse_odd_year("at", self.at)
