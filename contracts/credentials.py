"""What is told of a vendor's credentials before their last valid day, and once that is over."""

from __future__ import annotations

from contracts.base import Day, Id, Tally, Wire
from contracts.codes import CredentialKind, ServiceClass
from contracts.event_types import event
from contracts.streams import To


@event("dispatch.credential.expiring", "dispatch.credential.expired", to=To.VENDOR)
class CredentialNews(Wire):
    """A credential runs out, or has: from `no_offers_from` its vendor gets no offers of these services.

    That is the day of service: what is to be done on it or later is not offered before it comes, either.
    """

    kind: CredentialKind
    expires_on: Day  # its last valid day
    days_left: Tally  # until then; 0: on it, or after
    no_offers_from: Day  # later than the day after by as many days of grace as tuning gives
    levels_of_service: tuple[ServiceClass, ...] = ()  # its own that require it; none: no offers are lost


@event("dispatch.vendor.credential_expiring", "dispatch.vendor.credential_expired", to=To.EVENTS)
class VendorCredentialNews(CredentialNews):
    """The same, for those who follow the market."""

    vendor_id: Id
