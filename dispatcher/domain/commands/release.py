"""Go anyway: a request waits no more for what goes before it. Its history names the person who said so."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.codes import RequestState, Requirement
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.messages import changed
from dispatcher.domain.refusals import WrongState
from dispatcher.domain.requests import RequestRecord, moved, noted
from dispatcher.domain.rights import MAY_RELEASE
from dispatcher.domain.states import TERMINAL

RELEASED = "released"  # the code of the step in the request's history


class ReleaseSequence(OnRequest, frozen=True, kw_only=True):
    """Wait no more for one request that goes before this one; None: for any.

    Named, it may also be another ride of the patient, from which this one is kept apart no more.
    """

    predecessor_id: str | None = None


@decides(ReleaseSequence, REQUEST, roles=MAY_RELEASE[Requirement.PREDECESSOR])
def release(record: RequestRecord, command: ReleaseSequence, context: Context) -> Decision | None:
    """Drop the link; None when there is none (any more).

    Raises WrongState when the request has ended.
    """
    wanted = command.predecessor_id
    dropped = [each.request_id for each in record.after if wanted in (None, each.request_id)]
    met = [each for each in record.apart if each == wanted or each in dropped]
    if not dropped and not met:
        return None
    if record.state in TERMINAL:
        raise WrongState(
            f"request {record.id} is {record.state}; it waits for nothing\nMaybe another was meant.",
            state=record.state.value,
        )
    left = tuple(each for each in record.after if each.request_id not in dropped)
    waits_on = any(not each.done_ms for each in left)
    requirements = tuple(
        each for each in record.requirements if waits_on or each is not Requirement.PREDECESSOR
    )
    is_free = record.state is RequestState.ON_HOLD and not requirements
    state = RequestState.RECEIVED if is_free else record.state
    apart = tuple(each for each in record.apart if each not in met)
    after = moved(record, state, context, RELEASED, after=left, requirements=requirements, apart=apart)
    return Decision(
        changes=(Change(record, after), *_unlinked(record, (*dropped, *met), context)),
        messages=(changed(after, context.by, RELEASED),),
        at_ms=context.now_ms,
    )


def _unlinked(record: RequestRecord, dropped: Sequence[str], context: Context) -> list[Change]:
    """Those that went before it, or were kept apart, know it no more, as far as they have not ended."""
    others = [context.related.get(each) for each in dict.fromkeys(dropped)]
    return [
        Change(
            other,
            noted(
                other,
                context,
                before=tuple(each for each in other.before if each != record.id),
                apart=tuple(each for each in other.apart if each != record.id),
            ),
        )
        for other in others
        if isinstance(other, RequestRecord)
        and other.state not in TERMINAL
        and record.id in (*other.before, *other.apart)
    ]
