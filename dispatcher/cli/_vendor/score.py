"""What became of the vendor's work, what stands behind a figure, and what it says against it."""

from __future__ import annotations

from argparse import Namespace
from typing import TYPE_CHECKING

from contracts.scorecards import Disputable, Scorecard, ScoreFigure
from dispatcher.cli._vendor import Subjects, Told
from dispatcher.cli._vendor.own import own_id
from dispatcher.cli._vendor.reading import a_text, names, said_of
from dispatcher.cli._vendor.shown import NOTHING, table, when
from dispatcher.runtime.arguments import a_date

if TYPE_CHECKING:
    from client.vendor import VendorClient

DAY = "YYYY-MM-DD"


def add(subjects: Subjects) -> None:
    """scorecard, dispute-outcome, disputes."""
    parser = subjects.word("scorecard", "what became of your work over some days", _scorecard, offer=False)
    parser.add_argument("--from", dest="first", type=a_date, metavar=DAY, help="the first day")
    parser.add_argument("--to", dest="last", type=a_date, metavar=DAY, help="the last day; left out: today")
    parser.add_argument("--behind", metavar="FIGURE", help="what stands behind a figure: late, declined, …")
    parser = subjects.word(
        "dispute-outcome", "say that an outcome on your scorecard is wrong; ops answers", _dispute
    )
    parser.add_argument("outcome", choices=names(Disputable), metavar="OUTCOME", help=said_of(Disputable))
    parser.add_argument("text", metavar="TEXT", help="why; - reads it from standard input")
    subjects.word("disputes", "what you said is wrong, and what ops answered", _disputes, offer=False)


async def _scorecard(vendor: VendorClient, args: Namespace) -> Told:
    vendor_id = await own_id(vendor)
    if args.behind:
        found = [each async for each in vendor.score_requests(vendor_id, args.behind, args.first, args.last)]
        rows = [
            (each.offer_id, each.outcome, each.code, when(each.at), each.level, _or_nothing(each.minutes))
            for each in found
        ]
        heads = ("offer", "outcome", "code", "when", "level", "minutes")
        return Told(found, table(heads, rows, empty=f"nothing stands behind {args.behind}"))
    card = await vendor.scorecard(vendor_id, args.first, args.last)
    return Told(card, _lines(card))


def _lines(card: Scorecard) -> list[str]:
    figures = [each for each in card.all.figures if each.count]
    heads = ("figure", f"{card.first} to {card.last}", "of", "share", "between")
    lines = table(heads, map(_row, figures), empty="nothing came of your work on these days")
    if card.all.arrivals:
        half, most = card.all.late_p50_minutes, card.all.late_p90_minutes
        lines.append(f"late at the pick-up: half no more than {half} min, nine in ten no more than {most}")
    beside = [f"{each.figure}: quarter {each.quartile}" for each in card.quartiles if each.quartile]
    return [*lines, *([f"beside the market, {', '.join(beside)} of 4"] if beside else [])]


def _row(figure: ScoreFigure) -> tuple[object, ...]:
    if figure.share is None or figure.low is None or figure.high is None:
        return figure.figure, figure.count, "", "", ""
    few = ", few" if figure.few else ""
    between = f"{figure.low:.0%} and {figure.high:.0%}{few}"
    return figure.figure, figure.count, figure.of, f"{figure.share:.0%}", between


async def _dispute(vendor: VendorClient, args: Namespace) -> Told:
    outcome = Disputable(args.outcome)
    made = await vendor.dispute_score(await own_id(vendor), args.offer, outcome, a_text(args.text))
    return Told(made, [f"{made.outcome} of {made.offer_id} is disputed: ops answers"])


async def _disputes(vendor: VendorClient, args: Namespace) -> Told:
    found = [each async for each in vendor.score_disputes(await own_id(vendor))]
    rows = [(each.offer_id, each.outcome, when(each.at), each.state, each.reason) for each in found]
    return Told(
        found, table(("offer", "outcome", "said", "answer", "why"), rows, empty="you dispute nothing")
    )


def _or_nothing(number: int | None) -> object:
    return NOTHING if number is None else number
