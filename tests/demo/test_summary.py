"""The figures of a played day say what they are about."""

from datetime import UTC, datetime, timedelta

from contracts.codes import OfferState, RequestState
from contracts.offer_modes import OfferMode
from contracts.request_views import Attempt, RequestView, Transition
from dispatcher.demo.summary import ends, timings
from dispatcher.demo.takers import found_takers
from simulation.tally import Tally

AT = datetime(2026, 9, 16, tzinfo=UTC)


def test_the_time_to_an_offer_is_of_imminent_requests_for_which_a_vendor_had_room():
    tally = Tally(planned=3, imminent={"at-once", "full-first"})
    tally.acknowledged = dict.fromkeys(("at-once", "full-first", "patient"), 1.0)
    tally.heard = {"at-once": 1.02, "full-first": 4.0, "patient": 9.0}
    figures = timings(tally, {"full-first"})
    assert (figures["offer_p99_ms"], figures["imminent_offers"], figures["imminent_waited"]) == (20.0, 1, 1)


def _view(name: str, attempts: tuple[Attempt, ...], taken_s: float | None) -> RequestView:
    steps = [Transition(state=RequestState.OFFERED, at=AT)]
    if taken_s is not None:
        steps.append(Transition(state=RequestState.ACCEPTED, at=AT + timedelta(seconds=taken_s)))
    return RequestView(
        id=name, kind="trip", state=steps[-1].state, owner="vendor", version=1, received_at=AT, match_by=AT,
        attempts=attempts, history=tuple(steps),
    )  # fmt: skip


def _asked(name: str, state: OfferState, code: str = "", mode: OfferMode | None = None) -> Attempt:
    return Attempt(id=name, vendor_id="v1", state=state, at=AT, code=code, mode=mode)


def test_how_offers_found_their_takers_is_told_and_a_broadcast_is_no_second_try():
    both = OfferMode.BROADCAST
    raced = (_asked("a.1", OfferState.CANCELLED, "taken", both), _asked("a.2", OfferState.ACCEPTED, "", both))
    again = (_asked("b.1", OfferState.REJECTED), _asked("b.2", OfferState.ACCEPTED))
    views = [
        _view("a", raced, 10),
        _view("b", again, 30),
        _view("c", (_asked("c.1", OfferState.REQUESTED),), None),
    ]
    figures = found_takers(views, {"v1": OfferMode.ASSUMED})
    assert (figures["offers_per_request"], figures["broadcast_races"]) == (1.67, 1)
    assert figures["acceptance_p50_s"] in (10.0, 30.0)
    assert figures["by_mode"] == {"explicit": 0, "assumed": 2, "cascade": 0, "broadcast": 1}
    assert ends(views)["rematched"] == 1
