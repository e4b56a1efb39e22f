"""What a report may say: a code that fits its status, nothing long before the work can begin, and a time at
which it can have happened.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from contracts.codes import DeclineCode, ProviderCancelCode, ReportCode, TrackingStatus
from contracts.instants import MINUTE_MS, to_instant, to_ms
from contracts.tuning import Number, Parameter
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.refusals import Invalid
from dispatcher.domain.requests import RequestRecord

EARLY = Parameter(
    name="early_report_minutes",
    default=120,
    minimum=0,
    maximum=1440,
    unit="minutes",
    summary="Work may be done, or its patient missed, this long before its window, and no earlier.",
    scope="domain.commands.plausible",
)
PARAMETERS = (EARLY,)
CLOCKS_MS = MINUTE_MS  # by which a vendor's clock may go ahead, or behind
T, P = TrackingStatus, ProviderCancelCode
CODES: Mapping[TrackingStatus, frozenset[ReportCode]] = {  # of the others, none: they went as agreed so far
    T.NO_SHOW: frozenset(map(ReportCode, (P.NO_CLIENT, P.CANCEL_AT_DOOR, P.NOT_READY))),
    T.FAILED: frozenset(ReportCode) - {ReportCode.NO_CLIENT},
    T.TURNED_BACK: frozenset(map(ReportCode, (*DeclineCode, P.PROVIDER_ADMIN_CANCEL))),
}
ENDS_AT_THE_DOOR = frozenset({T.COMPLETED, T.NO_SHOW})


def refuse_unfit_code(status: TrackingStatus, code: ReportCode | None) -> None:
    """Raises Invalid for a code that says otherwise than the status, rather than drop it."""
    fitting = CODES.get(status, frozenset())
    if code is None or code in fitting:
        return
    rather = (
        f"one of: {', '.join(sorted(fitting))}" if fitting else "none: leave it out, or report how it ended"
    )
    raise Invalid(f"the code {code} does not fit the status {status}\nMaybe {rather}.")


def refuse_too_early(
    record: RequestRecord, status: TrackingStatus, at_ms: int, values: Mapping[str, Number]
) -> None:
    """Raises Invalid for an end that cannot have come yet: it would end a ride that still has to go.

    A patient who is ready early is fetched early by agreement, an hour or two; nobody waits for a vendor, or
    is missed by one, longer before the window than that.
    """
    first_ms = record.earliest_ms - EARLY.whole(values) * MINUTE_MS
    if status in ENDS_AT_THE_DOOR and at_ms < first_ms:
        raise Invalid(
            f"{status} at {to_instant(at_ms).isoformat()} is too early: the first moment for it is "
            f"{to_instant(first_ms).isoformat()}\nMaybe it is another ride's, or `at` has another time zone."
        )


def happened(name: str, at: datetime | int | None, offer: OfferRecord, now_ms: int) -> int:
    """When something of this offer's work was, ms; left out: now.

    Raises Invalid for what is still to come, or was before the offer: it is another day's, or another zone's.
    Within a minute either way it is a clock that goes ahead or behind: then it is now, or when it was made.
    """
    at_ms = now_ms if at is None else at if isinstance(at, int) else to_ms(at)
    said = f"{name} is {to_instant(at_ms).isoformat()}"
    hint = f"Maybe the time zone is another, or a clock is wrong; left out, `{name}` is now."
    if at_ms > now_ms + CLOCKS_MS:
        raise Invalid(f"{said}, and it is {to_instant(now_ms).isoformat()}\n{hint}")
    if at_ms < offer.made_ms - CLOCKS_MS:
        made = to_instant(offer.made_ms).isoformat()
        raise Invalid(f"{said}, and the work was offered at {made}, not before\n{hint}")
    return min(now_ms, max(at_ms, offer.made_ms))
