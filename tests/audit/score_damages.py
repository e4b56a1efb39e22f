"""Ways in which what is counted of vendors' work can be damaged."""

import msgspec
from msgspec.structs import replace

from contracts.scorecards import DisputeState
from dispatcher.domain.score_disputes import SCORE_DISPUTE_KIND, ScoreDisputeRecord, dispute_id
from dispatcher.domain.scorecards import Entry, Outcome, day_of
from dispatcher.store.scorecards import field_of
from tests.audit.hurting import Damage, both, stored
from tests.store.made import NOW_MS

TODAY = day_of(NOW_MS)
LATE = Entry(at_ms=NOW_MS, start_ms=NOW_MS, level="wheelchair", minutes=20)
DISPUTE = ScoreDisputeRecord(
    id=dispute_id("a.1", Outcome.LATE),
    version=1,
    vendor_id="v1",
    offer_id="a.1",
    outcome=Outcome.LATE,
    entry=LATE,
    made_ms=NOW_MS,
    timer_ms=NOW_MS,
    sealed=b"",
)
COUNTED: Damage = lambda raw, keys: raw.hset(  # noqa: E731
    keys.scorecards(TODAY), mapping={"v1:wheelchair:late": 1, "v1:wheelchair:late_minutes": 20}
)


def behind(entry: Entry) -> Damage:
    """An outcome, as it is kept."""
    content = msgspec.msgpack.encode(entry)
    return lambda raw, keys: raw.hset(keys.outcomes("v1", TODAY), field_of("a.1", Outcome.LATE), content)


KEPT = replace(DISPUTE, state=DisputeState.NOT_UPHELD)
UPHELD = replace(DISPUTE, state=DisputeState.UPHELD)
SCORE_DAMAGES: dict[str, tuple[Damage, set[str], str]] = {  # as in `damages`
    "a count with nothing behind it": (COUNTED, {"scorecards"}, "counts 1, and 0 stand behind it"),
    "an outcome that is not counted": (behind(LATE), {"scorecards"}, "counts 0, and 1 stand behind it"),
    "a dispute that was upheld, and its outcome counts": (
        both(COUNTED, behind(LATE), stored(SCORE_DISPUTE_KIND, UPHELD)),
        {"scorecards"},
        "is upheld, and its outcome still counts",
    ),
    "an outcome that counts no more, and nobody has said so": (
        both(behind(replace(LATE, upheld=True)), stored(SCORE_DISPUTE_KIND, KEPT)),
        {"scorecards"},
        "is not_upheld, and its outcome counts no more",
    ),
    "a disputed outcome that is nobody's": (
        both(COUNTED, behind(LATE), stored(SCORE_DISPUTE_KIND, DISPUTE)),
        {"scorecards"},
        "is open and has no open task",
    ),
}
