"""The scorecard: its figures, what stands behind one, and an outcome that is wrong."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from contracts.scorecards import Disputable, Scorecard, ScoreDispute, ScoreFigure, ScoreRequest
from dispatcher.cli._vendor import Subjects, Told
from dispatcher.cli._vendor.own import DAY, myself
from dispatcher.cli._vendor.reading import a_text, names, said_of
from dispatcher.cli._vendor.shown import NOTHING, table, when
from dispatcher.runtime.arguments import a_date

if TYPE_CHECKING:
    from client.vendor import VendorClient

HEADS = ("figure", "count", "of", "share", "between", "quarter", "")
BEHIND = ("offer", "start", "outcome", "minutes", "level", "dispute")


def add(subjects: Subjects) -> None:
    """scorecard, dispute-score."""
    parser = subjects.word(
        "scorecard", "what became of your work, and how you compare", _scorecard, offer=False
    )
    parser.add_argument("--from", dest="first", type=a_date, metavar=DAY, help="left out: thirty days")
    parser.add_argument("--to", dest="last", type=a_date, metavar=DAY, help="left out: today")
    parser.add_argument(
        "--behind", metavar="FIGURE", help="what a figure counts: late, declined.BAD_WEATHER, …"
    )
    parser.add_argument("--disputes", action="store_true", help="what you have disputed, and ops' answers")
    parser = subjects.word(
        "dispute-score", "say that an outcome of yours is wrong; ops looks at it", _dispute
    )
    outcomes = names(Disputable)
    parser.add_argument("outcome", choices=outcomes, metavar="OUTCOME", help=said_of(Disputable))
    parser.add_argument("text", metavar="TEXT", help="why; - reads it from standard input")


async def _scorecard(vendor: VendorClient, args: Namespace) -> Told:
    me = (await myself(vendor)).vendor.id
    if args.disputes:
        found = [each async for each in vendor.score_disputes(me)]
        return Told(found, _disputes(found))
    if args.behind:
        behind = [each async for each in vendor.score_requests(me, args.behind, args.first, args.last)]
        return Told(behind, _behind(behind))
    card = await vendor.scorecard(me, args.first, args.last)
    return Told(card, _figures(card))


async def _dispute(vendor: VendorClient, args: Namespace) -> Told:
    me, text = (await myself(vendor)).vendor.id, a_text(args.text)
    made = await vendor.dispute_score(me, args.offer, Disputable(args.outcome), text)
    return Told(made, [f"{made.offer_id} {made.outcome}: {made.state}; ops looks at it"])


def _figures(card: Scorecard) -> list[str]:
    quarters = {each.figure: each.quartile for each in card.quartiles}
    rows = [
        (
            each.figure,
            each.count,
            each.of or NOTHING,
            _percent(each.share),
            _between(each),
            quarters.get(each.figure) or NOTHING,
            "few" if each.few else "",
        )
        for each in card.all.figures
    ]
    said = [f"{card.first} to {card.last}", *table(HEADS, rows, empty="nothing is known of these days")]
    if card.all.late_p50_minutes is not None:
        late = f"{card.all.late_p50_minutes} minutes, p90 {card.all.late_p90_minutes}"
        said.append(f"late at the pick-up: p50 {late}, of {card.all.arrivals} arrivals")
        half, most = (quarters.get(f"late_{each}_minutes") for each in ("p50", "p90"))
        if half or most:
            said.append(f"quarter of the market: p50 {half or NOTHING}, p90 {most or NOTHING}")
    return said


def _behind(found: list[ScoreRequest]) -> list[str]:
    rows = [
        (
            each.offer_id,
            when(each.start_at),
            each.code or each.outcome,
            NOTHING if each.minutes is None else each.minutes,
            each.level,
            each.dispute or "",
        )
        for each in found
    ]
    return table(BEHIND, rows, empty="nothing stands behind it")


def _disputes(found: list[ScoreDispute]) -> list[str]:
    rows = [(each.offer_id, each.outcome, when(each.at), each.state, each.reason) for each in found]
    return table(("offer", "outcome", "disputed", "", "ops says"), rows, empty="you have disputed nothing")


def _percent(share: float | None) -> str:
    return NOTHING if share is None else f"{share:.0%}"


def _between(figure: ScoreFigure) -> str:
    return "" if figure.low is None else f"{_percent(figure.low)} to {_percent(figure.high)}"
