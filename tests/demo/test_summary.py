"""The figures of a played day say what they are about."""

from dispatcher.demo.summary import timings
from simulation.tally import Tally


def test_the_time_to_an_offer_is_of_imminent_requests_for_which_a_vendor_had_room():
    tally = Tally(planned=3, imminent={"at-once", "full-first"})
    tally.acknowledged = dict.fromkeys(("at-once", "full-first", "patient"), 1.0)
    tally.heard = {"at-once": 1.02, "full-first": 4.0, "patient": 9.0}
    figures = timings(tally, {"full-first"})
    assert (figures["offer_p99_ms"], figures["imminent_offers"], figures["imminent_waited"]) == (20.0, 1, 1)
