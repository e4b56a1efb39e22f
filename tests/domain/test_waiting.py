"""A vendor that waits at the door has said something: its next report is waited for anew."""

from __future__ import annotations

from contracts.codes import TrackingStatus
from contracts.tasks import TaskState
from dispatcher.domain.commands.accept import AcceptOffer
from dispatcher.domain.commands.make_offer import MakeOffer
from dispatcher.domain.commands.report import ReportStatus
from dispatcher.domain.commands.submit import receive
from dispatcher.domain.commands.waiting import ReportWaiting
from tests.domain import make
from tests.domain.world import World


def test_overdue_again_after_it_said_that_it_waits_the_same_task_is_open_again() -> None:
    world, request = World(make.VALUES), make.trip()
    world.commit(receive(request, make.context(now_ms=world.now_ms)))
    plan = make.proposal(world.records["r1"], make.vendor())
    world.give("r1", MakeOffer(request_id="r1", request=request, proposal=plan))
    world.give("r1", AcceptOffer(offer_id="r1.1"), vendor="v1")
    world.now_ms = plan.start_ms
    world.give("r1", ReportStatus(offer_id="r1.1", status=TrackingStatus.AT_PICKUP), vendor="v1")
    states = []
    for said in (None, ReportWaiting(offer_id="r1.1"), None):
        if said is not None:
            world.give("r1", said, vendor="v1")
        else:
            world.now_ms = world.records["r1"].timer_ms
            world.fire_due()
        states.append(world.tasks["r1.1.overdue_at_pickup"].state)
    assert states == [TaskState.OPEN, TaskState.DONE, TaskState.OPEN]
