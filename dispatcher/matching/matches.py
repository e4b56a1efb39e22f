"""One planned match as what is committed: checked a last time, and an offer or the move of one."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from contracts.offer_modes import OfferMode
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.move_offer import MoveOffer
from dispatcher.domain.fairness import group_of
from dispatcher.domain.offers import OfferRecord
from dispatcher.domain.proposal import Proposal
from dispatcher.domain.requests import RequestRecord, offer_id, waited_ms
from dispatcher.matching.faults import NO_FAULT_OF_AN_ITEM, step_of
from dispatcher.matching.horizon import ahead_ms
from dispatcher.matching.refused import Refused
from dispatcher.matching.snapshot import Snapshot
from dispatcher.matching.verify import BrokenRule, proposal
from solvers.planning import BatchPlan

MOST_VENDORS = 3  # for which checking a request's match raises, before it is set aside
log = structlog.get_logger()


@dataclass(frozen=True)
class Match:
    """A request and where it goes; `instead_of`: the unanswered offer that is withdrawn for it, if any."""

    record: RequestRecord
    proposal: Proposal
    instead_of: OfferRecord | None
    command: MakeOffer | MoveOffer

    @property
    def books(self) -> bool:
        """Whether it takes its place now: the offers of a broadcast take none before one is accepted."""
        return not (isinstance(self.command, MakeOffer) and self.command.mode is OfferMode.BROADCAST)


def checked(snapshot: Snapshot, plan: BatchPlan, row: int, now_ms: int, refused: Refused) -> Match | None:
    """Match `row` of the plan; None if it breaks a rule (a defect, noted) or its start went by meanwhile.

    Its units are taken from the snapshot's capacity. A check that raises is noted like one that refuses; it
    raises that from the third vendor on, since then it is its request's doing.
    """
    try:
        proposed = proposal(snapshot, plan, row)
    except BrokenRule as defect:
        log.error("plan_broke_a_rule", detail=str(defect), solver=plan.solver)
        refused.note(defect.request_id, defect.vendor_id, defect.rule, snapshot.reading)
        return None
    except NO_FAULT_OF_AN_ITEM:
        raise
    except Exception as error:
        one, step = plan.chosen.at(row), step_of(error)
        request_id, vendor_id = snapshot.asked[one.request].request.id, snapshot.vendors[one.vendor].id
        log.exception("match_not_checked", request=request_id, vendor=vendor_id, step=step)
        if refused.note_raised(request_id, vendor_id, step, snapshot.reading) >= MOST_VENDORS:
            raise
        return None
    return _match(snapshot, int(plan.chosen.request[row]), proposed) if proposed.start_ms >= now_ms else None


def _match(snapshot: Snapshot, row: int, proposed: Proposal) -> Match:
    record, body, old = snapshot.records[row], snapshot.asked[row].request, snapshot.standing.get(row)
    if old is None:
        waited = waited_ms(record, snapshot.now_ms, ahead_ms(snapshot.values))
        offer = MakeOffer(
            request_id=record.id, request=body, proposal=proposed, group=group_of(body), waited_ms=waited
        )
        return Match(record, proposed, None, offer)
    move = MoveOffer(offer_id=offer_id(record, old), request=body, proposal=proposed)
    return Match(record, proposed, old, move)
