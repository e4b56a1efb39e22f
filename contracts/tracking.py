"""What a vendor reports while it does the work."""

from __future__ import annotations

from contracts.base import Instant, Wire
from contracts.codes import ReportCode, TrackingStatus


class StatusUpdate(Wire):
    """One report on a dispatch: en route, at pick-up, on board, completed, no-show, failed, turned back."""

    status: TrackingStatus
    at: Instant | None = None  # when it happened; left out: when it was received
    code: ReportCode | None = None
