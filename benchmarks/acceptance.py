"""Predicted acceptance beside a constant (Brier), and a day of offers with and without it.

Brier score: the mean of (expected - answer) squared over offers whose answers were not known yet; less is
better. The day is played in memory, by the service's own decisions and plans, twice: with what is expected of
vendors (as a service would that knows their answers of the weeks before), and without. Vendors draw the same
lots in both.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from benchmarks.acceptance_vendors import Asked, ByTemper, Tempers, counted, history
from benchmarks.figures import add_json, tell
from contracts.codes import RequestState
from contracts.instants import DAY_MS
from contracts.offer_modes import OfferMode
from dispatcher.domain.acceptance_sums import expected_of, summed, tallied
from dispatcher.domain.requests import RequestRecord
from dispatcher.runtime.arguments import MOST_SEED, number, whole
from dispatcher.what_if.play import Play, Played
from dispatcher.what_if.solving import Solver
from simulation import seoul, small
from simulation.day import Day, Submission
from solvers.acceptance import expected
from solvers.screening import ALL_OTHERS

WARM, DAYS, EVERY = 14, 84, 7  #: days before the first prediction; in all; between two readings
VENDORS, OFFERS_A_DAY = 60, 6.0
FIRST = date(2026, 6, 1)
MODES = ("explicit", "cascade", "broadcast")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`bench acceptance`."""
    parser.add_argument("--day", type=Path, help="a folder with trips.csv and vehicles.csv; default: made up")
    parser.add_argument("--share", type=number(0, 1, above=True), default=1.0, help="of the day's requests")
    parser.add_argument("--seed", type=whole(0, MOST_SEED), default=1, help="what is drawn")
    parser.add_argument("--modes", nargs="+", choices=MODES, default=MODES, help="how requests are offered")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="tuning of `with`")
    parser.add_argument("--no-day", action="store_true", help="the Brier score alone")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """0 if what is expected is nearer to what came than a constant is."""
    tuned = {name: float(value) for name, _, value in (each.partition("=") for each in args.set)}
    figures: dict[str, Any] = {"benchmark": "acceptance", "brier": brier(args.seed, tuned)}
    print("brier", figures["brier"], flush=True)
    if not args.no_day:
        day = sampled(seoul.load(args.day, args.seed) if args.day else small.generate(args.seed), args.share)
        figures |= {"day": day.name, "requests": len(day.requests)}
        for mode in args.modes:
            offered = in_mode(day, mode)
            sides = {name: told(played(offered, args.seed, values)) for name, values in _sides(tuned).items()}
            figures[mode] = sides
            print(mode, json.dumps(sides), flush=True)
    tell(figures, args.json)
    return 0 if figures["brier"]["expected"] < figures["brier"]["constant"] else 1


def _sides(tuned: Mapping[str, float]) -> dict[str, Mapping[str, float]]:
    return {"without": {"acceptance_cents": 0, "broadcast_sure_share": 1.0}, "with": tuned}


def in_mode(day: Day, mode: str) -> Day:
    """The day with every request offered so; explicit is as the vendors of the day answer."""
    asked = None if mode == "explicit" else OfferMode(mode)
    return dataclasses.replace(
        day,
        submissions=tuple(
            Submission(each.at_ms, tuple(replace(one, offer_mode=asked) for one in each.requests))
            for each in day.submissions
        ),
    )


def brier(
    seed: int, values: Mapping[str, float], *, vendors: int = VENDORS, days: int = DAYS
) -> dict[str, float]:
    """Of a constant, of each vendor's own rate, of what is expected, and of who knows the true shares."""
    asked = history(Tempers(seed), [f"v{n:02d}" for n in range(vendors)], days, FIRST, OFFERS_A_DAY)
    errors: dict[str, list[float]] = {name: [] for name in ("constant", "by_vendor", "expected", "truth")}
    means: list[tuple[float, float]] = []
    for first in range(WARM, days, EVERY):
        before = [each for each in asked if each.day < first]
        told = {week: tallied(counts) for week, counts in counted(before).items()}
        tables = expected_of(summed(told, _ms(first), values), values)
        rates = _rates(before)
        for each in (one for one in asked if first <= one.day < first + EVERY):
            who, yes = each.answer.vendor_id, float(each.answer.yes)
            share = expected(tables, who, each.answer.cell)
            guesses = (rates[ALL_OTHERS], rates.get(who, rates[ALL_OTHERS]), share or 0.0, each.share)
            means.append((guesses[2], yes))
            for name, guess in zip(errors, guesses, strict=True):
                errors[name].append((guess - yes) ** 2)
    found = {name: round(float(np.mean(each)), 4) for name, each in errors.items()}
    return found | {"offers": len(means), "expected_mean": _mean(means, 0), "accepted_mean": _mean(means, 1)}


def _mean(means: Sequence[tuple[float, float]], at: int) -> float:
    return round(float(np.mean([each[at] for each in means])), 4)


def _rates(asked: Sequence[Asked]) -> dict[str, float]:
    """Shares that were accepted: of everybody, and of each vendor (with one yes and one no more)."""
    yes, of = Counter[str](), Counter[str]()
    for each in asked:
        of.update((ALL_OTHERS, each.answer.vendor_id))
        yes.update((ALL_OTHERS, each.answer.vendor_id) if each.answer.yes else ())
    return {name: (yes[name] + 1) / (number + 2) for name, number in of.items()}


def _ms(day: int) -> int:
    return (FIRST + timedelta(days=day) - date(1970, 1, 1)).days * DAY_MS


def sampled(day: Day, share: float) -> Day:
    """Of each call so many of its requests, the first; capacity in proportion would no longer be vans."""
    if share >= 1:
        return day
    step = round(1 / share)
    kept = [
        Submission(
            each.at_ms, tuple(one for nth, one in enumerate(each.requests) if (number + nth) % step == 0)
        )
        for number, each in enumerate(day.submissions)
    ]
    return dataclasses.replace(day, submissions=tuple(each for each in kept if each.requests))


def played(day: Day, seed: int, values: Mapping[str, float]) -> Played:
    """The day with vendors of a temper, whose answers of the eight weeks before are known."""
    tempers, names = Tempers(seed), sorted(each.id for each in day.vendors)
    before = history(tempers, names, 56, day.date - timedelta(days=56), 12.0)
    tuned = dataclasses.replace(day, tuning={**day.tuning, **values})
    return Play(tuned, ByTemper(tempers, day.tz, 56), Solver(seed), seed, counted(before)).run()


def told(end: Played) -> dict[str, float]:
    """How long it took from the first offer until one was accepted, how many it took, what is left undone."""
    records = end.requests.values()
    waits = [each for each in map(_waited_s, records) if each is not None]
    p50, p90, p99 = (round(float(np.percentile(waits, each)), 1) for each in (50, 90, 99))
    offers = sum(not each.withdrawn for record in records for each in record.offers)
    return {
        "requests": len(records),
        "accepted": len(waits),
        "unmatched": sum(each.state is RequestState.UNMATCHED for each in records),
        "offers_per_request": round(offers / max(1, len(records)), 3),
        "accepted_p50_s": p50, "accepted_p90_s": p90, "accepted_p99_s": p99,
        "cents_per_request": round(_cents(end) / max(1, len(waits))),
    }  # fmt: skip


def _waited_s(record: RequestRecord) -> float | None:
    """Until it was first accepted; None if it never was."""
    at_ms = [each.at_ms for each in record.history if each.state is RequestState.ACCEPTED]
    return (at_ms[0] - record.offers[0].made_ms) / 1000 if at_ms else None


def _cents(end: Played) -> int:
    works = [each.dispatch for each in end.requests.values()]
    return sum(each.price_cents for each in works if each is not None)
