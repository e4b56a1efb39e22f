"""Barriers, said of one request; and patterns, counted over many."""

from __future__ import annotations

from datetime import date

from client.answers import about
from client.http import Connection, segment
from contracts.barriers import BarrierCode, BarrierReport
from contracts.barriers import Patterns as Counted
from contracts.codes import ServiceClass
from contracts.request_views import RequestView


class Barriers(Connection):
    """Why a request ended without its service: any token but a vendor's may say it."""

    async def barrier(self, request_id: str, code: BarrierCode, note: str = "") -> RequestView:
        """Say what it was; the note is encrypted at rest. Raises Problem 409 for one that did not end so."""
        path = f"/requests/{segment(request_id)}/barrier"
        view = await self.call("POST", path, RequestView, body=BarrierReport(code=code, note=note))
        return about(view, view.id, request_id, f"POST {path}")


class Patterns(Barriers):
    """How often that was what: for coordinators, case managers and ops."""

    async def patterns(
        self,
        since: date | None = None,
        until: date | None = None,
        *,
        code: BarrierCode | None = None,
        facility: str | None = None,
        vendor_id: str | None = None,
        service_class: ServiceClass | None = None,
    ) -> Counted:
        """Counts over the weeks of these days (None: the last 13), of what is as given.

        Counts are told in whole multiples of `least`, by a draw up or down.
        """
        asked = {
            "since": since.isoformat() if since else None,
            "until": until.isoformat() if until else None,
            "code": code,
            "facility": facility,
            "vendor_id": vendor_id,
            "service_class": service_class,
        }
        given = {name: str(value) for name, value in asked.items() if value is not None}
        return await self.call("GET", "/patterns", Counted, params=given or None)
