"""How far a vendor is on its way to be offered work, and who said so last."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Id, Instant, Tally, Wire
from contracts.event_types import event
from contracts.streams import To

Reason = Annotated[str, Meta(min_length=1, max_length=200, description="why; the vendor reads it")]


class OnboardingState(StrEnum):
    """Only who is active is offered work. The steps are in `dispatcher.domain.onboarding`."""

    APPLIED = "applied"  # it has registered itself
    VERIFIED = "verified"  # ops has looked at it and its papers
    ACTIVE = "active"  # it is offered work
    SUSPENDED = "suspended"  # by ops, or turned down; what it has agreed to stays its own


class Onboarding(Wire):
    """A state, and who put the vendor there: a role or a vendor, and whom of it the token names (`sub`)."""

    state: OnboardingState
    by: str
    subject: str = ""
    at: Instant
    reason: str = ""


class SetOnboarding(Wire):
    """Ops takes a vendor to another state."""

    state: OnboardingState
    reason: Reason | None = None  # needed to suspend

    def __post_init__(self) -> None:
        """Refuse to suspend without a reason: the vendor could not put it right."""
        if self.state is OnboardingState.SUSPENDED and self.reason is None:
            raise ValueError("suspended needs a `reason`\nMaybe say what the vendor has to put right.")


@event("dispatch.onboarding.changed", to=To.VENDOR)
class OnboardingNews(Wire):
    """A vendor's own state is another."""

    state: OnboardingState
    before: OnboardingState
    reason: str = ""
    keeps: Tally = 0  # offers and dispatches that it has, and that stay its own


@event("dispatch.vendor.onboarding_changed", to=To.EVENTS)
class VendorOnboardingNews(OnboardingNews):
    """The same, for those who follow the market."""

    vendor_id: Id
