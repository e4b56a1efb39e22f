"""What coordinators and case managers do: requests, tasks, barriers, and a vendor by hand."""

from __future__ import annotations

from datetime import datetime

from client.answers import about
from client.authorizations import AuthorizationClient
from client.barriers import Patterns
from client.http import segment
from client.platform import REQUESTS, PlatformClient
from client.tasks import TaskClient
from client.vendor_limits import CapSetter
from contracts.asked_windows import AskWindow
from contracts.geo import Window
from contracts.request_views import OfferTo, RequestView


class CareClient(PlatformClient, TaskClient, AuthorizationClient, Patterns, CapSetter):
    """Calls with a token of role coordinator, case manager or both.

    Which of them may do what: docs/roles.md. What the token's roles do not allow raises Problem 403.
    """

    async def offer(
        self, request_id: str, vendor_id: str, start_at: datetime | None = None, *, again: bool = False
    ) -> RequestView:
        """Ask this vendor. Raises Problem 409: `rules` names what it breaks, or the request is taken."""
        path = f"{REQUESTS}/{segment(request_id)}/offer"
        wish = OfferTo(vendor_id=vendor_id, start_at=start_at, again=again)
        view = await self.call("POST", path, RequestView, body=wish)
        return about(view, view.id, request_id, f"POST {path}")

    async def ask_window(self, request_id: str, earliest: datetime, latest: datetime) -> RequestView:
        """Ask the platform whether it may start in this wider window. Raises Problem 409, 422."""
        path = f"{REQUESTS}/{segment(request_id)}/ask-window"
        wish = AskWindow(window=Window(earliest=earliest, latest=latest))
        view = await self.call("POST", path, RequestView, body=wish)
        return about(view, view.id, request_id, f"POST {path}")
