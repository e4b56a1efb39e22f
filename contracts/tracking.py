"""What a vendor reports while it does the work."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from contracts.base import Instant, Wire
from contracts.codes import ReportCode, TrackingStatus
from contracts.geo import Position


class StatusUpdate(Wire):
    """One report on a dispatch: en route, at pick-up, on board, completed, no-show, failed, turned back."""

    status: TrackingStatus
    at: Instant | None = None  # when it happened; left out: when it was received
    code: ReportCode | None = None
    position: Position | None = None
    note: Annotated[str, Meta(max_length=200)] = ""  # codes and figures only; never patient data
