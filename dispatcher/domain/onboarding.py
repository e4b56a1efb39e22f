"""From an application to work: applied → verified → active ↔ suspended, each step by ops."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec.structs import replace

from contracts.onboarding import Onboarding, OnboardingNews, OnboardingState, VendorOnboardingNews
from contracts.tasks import TaskKind, TaskOutcome, TaskState
from contracts.tuning import Number, Parameter
from contracts.vendors import Signed, Vendor
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision, Message
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.tasks import BY_ITSELF, TaskRecord, changed, done, news, opened, reopened

REQUIRED = Parameter(
    name="onboarding_required",
    default=0,
    minimum=0,
    maximum=1,
    unit="switch",
    summary="1: a vendor that registers itself is offered nothing until ops has verified and activated it.",
    scope="domain.onboarding",
)
PARAMETERS = (REQUIRED,)
S = OnboardingState
STEPS: Final[Mapping[OnboardingState, frozenset[OnboardingState]]] = {
    S.APPLIED: frozenset({S.VERIFIED, S.SUSPENDED}),
    S.VERIFIED: frozenset({S.ACTIVE, S.APPLIED, S.SUSPENDED}),
    S.ACTIVE: frozenset({S.SUSPENDED}),
    S.SUSPENDED: frozenset({S.ACTIVE, S.APPLIED}),
}
MOST_KEPT = 200  # of its offers and dispatches a task names


def registered(by: Signed, values: Mapping[str, Number], *, is_itself: bool) -> Onboarding | None:
    """Where a new vendor stands; None: active, as all are that ops has registered."""
    if not is_itself or not REQUIRED.whole(values):
        return None
    return Onboarding(state=S.APPLIED, by=by.by, subject=by.subject, at=by.at)


def taken_to(vendor: Vendor, state: OnboardingState, reason: str, by: Signed) -> Vendor:
    """The vendor in that state; as it is when it is there already for that reason.

    Raises WrongState for a step that there is not.
    """
    stands = vendor.onboarding
    if vendor.state is state and reason in ("", stands.reason if stands else ""):
        return vendor
    if vendor.state is not state and state not in STEPS[vendor.state]:
        may = ", ".join(sorted(STEPS[vendor.state]))
        raise WrongState(
            f"vendor {vendor.id} is {vendor.state}; it cannot become {state}\nMaybe first one of: {may}.",
            state=vendor.state.value,
        )
    after = Onboarding(state=state, by=by.by, subject=by.subject, at=by.at, reason=reason)
    return replace(vendor, onboarding=after)


def task_id(vendor_id: str) -> str:
    """What the task about a suspended vendor's work is called."""
    return f"{vendor_id}.{TaskKind.VENDOR_SUSPENDED.value}"


def follows(
    before: Vendor, after: Vendor, keeps: tuple[str, ...], task: TaskRecord | None, context: Context
) -> Decision | None:
    """What is told of the step, and the task about what a suspended vendor keeps. None: it is no step.

    `keeps`: ids of its open offers and of its dispatches.
    """
    if before.state is after.state or after.onboarding is None:
        return None
    change, said = _about_work(after, keeps, task, context)
    facts: dict[str, Any] = {
        "state": after.state,
        "before": before.state,
        "reason": after.onboarding.reason,
        "keeps": len(keeps),
    }
    own = OnboardingNews(**facts)
    everybody = VendorOnboardingNews(vendor_id=after.id, **facts)
    messages = (
        Message(type="dispatch.onboarding.changed", subject=after.id, data=own, vendor_id=after.id),
        Message(type="dispatch.vendor.onboarding_changed", subject=after.id, data=everybody),
        *said,
    )
    return Decision(changes=change, messages=messages, at_ms=context.now_ms)


def _about_work(
    vendor: Vendor, keeps: tuple[str, ...], known: TaskRecord | None, context: Context
) -> tuple[tuple[Change, ...], tuple[Message, ...]]:
    """Opened for a vendor that is suspended and has work, settled for one that no longer is."""
    is_open = known is not None and known.state is not TaskState.DONE
    if vendor.state is not S.SUSPENDED or not keeps:
        if known is None or not is_open:
            return (), ()
        over = done(known, context, TaskOutcome.SETTLED)
        return (Change(known, over),), (news(over, "done", BY_ITSELF),)
    fresh = opened(TaskKind.VENDOR_SUSPENDED, vendor.id, context, code=str(len(keeps)))
    fresh = replace(fresh, request_id="", vendor=vendor.id, left=keeps[:MOST_KEPT])
    if known is None:
        after = fresh
    elif is_open:
        after = changed(known, known.state, context, code=fresh.code, left=fresh.left)
    else:
        after = replace(reopened(known, fresh, context), left=fresh.left)
    return (Change(known, after),), (news(after, "opened", BY_ITSELF),)
