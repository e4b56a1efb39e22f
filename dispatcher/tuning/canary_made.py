"""A canary as it is stored when it begins, what it refuses to be, and how its end is told. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from contracts.instants import to_instant, to_ms
from contracts.local_day import first_instant_ms
from contracts.tuning import Made, Tuning, Value, parted
from contracts.tuning_canary import (
    MOST_DAYS,
    Canary,
    CanaryMode,
    CanaryPlan,
    CanaryState,
    CanaryUpdate,
    Guarded,
    GuardrailFound,
)
from contracts.tuning_profiles import NORMAL, ProfileTime
from contracts.tuning_versions import ParameterChange
from dispatcher.domain.refusals import Invalid
from dispatcher.tuning.canary import on_of
from dispatcher.tuning.profiles import next_after

#: scopes of what decides anew each time, so that it may be one thing in this hour and another in the next
TRIED = ("rules.", "solvers.", "matching.", "domain.offer", "domain.move_offer")


class Laid(NamedTuple):
    """A canary as it would be; `urgent_a_day`: so many urgent requests are usually without a vendor."""

    update: CanaryUpdate
    values: Mapping[str, Value]
    plan: CanaryPlan
    first_ms: int
    urgent_a_day: float


def made_of(laid: Laid, tuning: Tuning, by: str, now_ms: int, tz: ZoneInfo) -> Canary:
    """The canary beside what stands. Raises Invalid where its days see too little."""
    update, days = laid.update, _days(laid.update, laid.plan)
    first_day, version = to_instant(laid.first_ms).astimezone(tz).date(), tuning.version + 1
    numbers, lists = parted(laid.values)
    candidate = Tuning(
        version=version,
        values=numbers,
        lists=lists,
        by=by,
        reason=update.reason,
        at=to_instant(now_ms),
        what_if=update.what_if or "",
        made=Made.CANDIDATE,
    )
    return Canary(
        state=CanaryState.RUNNING,
        candidate=candidate,
        base=version + 1,
        mode=update.mode,
        block_hours=update.block_hours,
        pair_days=update.pair_days,
        washout_hours=update.washout_hours,
        days=days,
        first_day=first_day,
        at_once=update.at_once,
        guardrails=update.guardrails,
        plan=laid.plan.guardrails,
        urgent_a_day=laid.urgent_a_day,
        seed=version,
        started_at=to_instant(now_ms),
        begins_at=to_instant(laid.first_ms),
        ends_at=to_instant(first_instant_ms(first_day + timedelta(days=days), tz)),
        on=on_of(update, first_day, days, tz, version),
    )


def beside(canary: Canary, tuning: Tuning) -> Tuning:
    """What stands, as the version beside which the canary decides."""
    candidate = canary.candidate
    return replace(
        tuning,
        version=canary.base,
        by=candidate.by,
        reason=f"canary of version {candidate.version} begins: {candidate.reason}"[:200],
        at=canary.started_at,
        made=Made.CANARY,
        source=str(candidate.version),
        what_if="",
    )


def refuse_profiles(made: Canary, calendar: Sequence[ProfileTime], tz: ZoneInfo, now_ms: int) -> None:
    """A profile that begins or ends changes the tuning, and so ends a canary: raises Invalid if one comes."""
    following = next_after(calendar, tz, now_ms)
    if following is not None and following.at_ms < to_ms(made.ends_at):
        raise Invalid(
            f"the calendar has profile {following.profile or NORMAL} from {to_instant(following.at_ms)} on, "
            f"within its {made.days} days: that would end it\nMaybe begin after that, or take it out."
        )


def refuse_untried(changes: Sequence[ParameterChange]) -> None:
    """Raises Invalid for a candidate that changes nothing, or what cannot be tried by the hour."""
    if not changes:
        raise Invalid("the candidate is what stands\nMaybe change at least one parameter.")
    odd = [each.name for each in changes if not each.scope.startswith(TRIED)]
    if odd:
        raise Invalid(
            f"{', '.join(odd)} cannot be tried by the hour: what it says outlasts the hour\n"
            "Maybe PUT …/tuning, and restore the version before if it does not do."
        )


def told(found: GuardrailFound) -> str:
    """Why a canary was rolled back."""
    share, mark = (1, " cents") if found.what is Guarded.COST else (100, " %")
    candidate, other = (found.candidate or 0.0) * share, (found.other or 0.0) * share
    pairs = f"{found.pairs} pairs of blocks"
    return f"{found.what.value}: {candidate:.1f}{mark} against {other:.1f}{mark}, in {pairs}"


def _days(update: CanaryUpdate, plan: CanaryPlan) -> int:
    """How many days it runs: whole turns of its layout."""
    if update.days is not None:
        turn = 1 if update.mode is CanaryMode.WHOLE else 2 * update.pair_days
        days = -(-update.days // turn) * turn
        if days > MOST_DAYS:
            raise Invalid(
                f"{update.days} days are {days} in turns of {turn}; {MOST_DAYS} is the limit\nMaybe fewer."
            )
        return days
    if plan.days is None:
        slow = ", ".join(each.what.value for each in plan.guardrails if each.days is None)
        raise Invalid(
            f"how many days it needs is not known: of {slow} the past days say too little\n"
            "Maybe give `days` yourself, larger blocks, or fewer guardrails."
        )
    if plan.days > MOST_DAYS:
        raise Invalid(
            f"it needs {plan.days} days to see what would be too much; {MOST_DAYS} is the limit\n"
            "Maybe tolerate more (worse_by), or give `days` yourself and know that it may miss it.",
            days=plan.days,
        )
    return plan.days
