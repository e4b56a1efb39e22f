"""What the HTTP routes take and answer beside the messages themselves: receipts, pages, cancellation."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.base import Id, Wire
from contracts.codes import HoldReason, ProviderCancelCode, RequestState
from contracts.matches import Offer, RequestView

MAX_PAGE = 200

Cursor = Annotated[
    str, Meta(pattern="^([0-9]{1,16}\\.[A-Za-z0-9_-]{1,64})?(?!\\n)$", description="of the page before")
]
PageSize = Annotated[int, Meta(ge=1, le=MAX_PAGE)]


class Receipt(Wire, omit_defaults=False):
    """A request is durable: where to read it."""

    id: Id
    href: str


class Receipts(Wire, omit_defaults=False):
    """Every request of the call is durable, in the order given."""

    requests: tuple[Receipt, ...]


class Cancel(Wire):
    """The platform withdraws a request."""

    code: ProviderCancelCode | None = None


class PutOnHold(Wire):
    """The platform wants no vendor for a request until it resumes it."""

    reason: HoldReason = HoldReason.AUTHORIZATION


class RequestQuery(Wire):
    """Which requests to list; all states when none is given."""

    state: RequestState | None = None
    cursor: Cursor = ""
    limit: PageSize = 50


class RequestPage(Wire, omit_defaults=False):
    """Requests by time received; `cursor` is empty on the last page."""

    requests: tuple[RequestView, ...] = ()
    cursor: str = ""


class Offers(Wire, omit_defaults=False):
    """A vendor's open offers and dispatches, earliest start first."""

    offers: tuple[Offer, ...] = ()


class Posted(Wire, omit_defaults=False):
    """A version is stored; the same number is its ETag."""

    version: Annotated[int, Meta(ge=1)]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the service can take work, and why not."""

    ready: bool
    durable: bool = False
    reasons: tuple[str, ...] = ()
