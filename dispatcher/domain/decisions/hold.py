"""received or matching ↔ on_hold: no vendor is sought while authorization or a predecessor is missing."""

from __future__ import annotations

from contracts.codes import HoldReason, RequestState
from dispatcher.domain.decision import Decision
from dispatcher.domain.messages import changed
from dispatcher.domain.record import RequestRecord
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.states import OPEN
from dispatcher.domain.transitions import step


def hold(record: RequestRecord, now_ms: int, by: str, reason: HoldReason) -> Decision | None:
    """Seek no vendor until it is resumed; its deadline runs on. None when it waits for that already.

    Raises WrongState when a vendor has it, or it has ended: what a vendor holds is cancelled, not held.
    """
    if record.state is RequestState.ON_HOLD and record.history[-1].code == reason.value:
        return None
    if record.state not in OPEN and record.state is not RequestState.ON_HOLD:
        raise WrongState(
            f"request {record.id} is {record.state}; it cannot be put on hold\n"
            "Maybe cancel it, and submit it on hold under another id.",
            state=record.state.value,
        )
    after = step(record, RequestState.ON_HOLD, now_ms, by, reason.value)
    return Decision(before=record, after=after, messages=(changed(after, by, reason.value),))


def resume(record: RequestRecord, now_ms: int, by: str) -> Decision | None:
    """Seek a vendor; None when one is being sought. Raises WrongState when it was not on hold."""
    if record.state in OPEN:
        return None
    if record.state is not RequestState.ON_HOLD:
        raise WrongState(
            f"request {record.id} is {record.state}; it is not on hold\nMaybe it was resumed before.",
            state=record.state.value,
        )
    after = step(record, RequestState.RECEIVED, now_ms, by)
    return Decision(before=record, after=after, messages=(changed(after, by),))
