"""A day under today's settings, under them with another seed, and under changed ones, compared."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial

from contracts.what_if import WhatIfAnswer, WhatIfChange
from dispatcher.what_if.answer import Compared, answer_of
from dispatcher.what_if.answers import Answers
from dispatcher.what_if.care import Care, pairs_of
from dispatcher.what_if.change import postings_of, rules_of, values_of, vendors_of
from dispatcher.what_if.desk import Answered
from dispatcher.what_if.play import Play, Played, Told
from dispatcher.what_if.side import Looked, asked_of, side_of, terms
from dispatcher.what_if.solving import STEPS, Solver
from simulation.day import Day


@dataclass(frozen=True)
class DayAsked:
    """A day and what is to be tried on it. Goes to another process as it is."""

    day: Day
    change: WhatIfChange
    answers: Answers
    seed: int = 1  #: of the optimiser
    again: int = 2  #: of the same once more: what that moves is noise
    steps: int = STEPS
    answered: Answered = field(default_factory=dict)  #: how vendors answered before the day
    care: Care = field(default_factory=Care)


def changed_day(day: Day, change: WhatIfChange) -> Day:
    """The same day with other settings, vendors and capacity."""
    postings = {(vendor, on.isoformat()): each for (vendor, on), each in day.capacity.items()}
    days = sorted({on for _, on in postings} or {day.date.isoformat()})
    capacity = postings_of(change, postings, days)
    return replace(
        day,
        tuning=values_of(change, day.tuning),
        vendors=vendors_of(change, day.vendors),
        capacity={(vendor, date.fromisoformat(on)): each for (vendor, on), each in capacity.items()},
    )


def play_side(asked: DayAsked, side: int, told: Told = lambda share: None) -> Played:
    """0: today's settings; 1: the same with the other seed; 2: the changed ones."""
    change = asked.change if side == 2 else WhatIfChange()
    solver = Solver(asked.again if side == 1 else asked.seed, asked.steps)
    began_s = time.process_time()
    with rules_of(change):
        played = Play(
            changed_day(asked.day, change),
            asked.answers.anew(),
            solver,
            answered=asked.answered,
            care=asked.care,
        ).run(told)
    return played._replace(cpu_s=time.process_time() - began_s)


def compare_day(
    asked: DayAsked, told: Told = lambda share: None, beside: Executor | None = None
) -> WhatIfAnswer:
    """All three sides, one after the other, or `beside` each other; then what differs."""
    if beside is None:
        played = [play_side(asked, side, _third(told, side)) for side in range(3)]
    else:
        played = list(beside.map(partial(play_side, asked), range(3)))
    told(1.0)
    return _answer(asked, played, sum(each.cpu_s for each in played))


def _third(told: Told, side: int) -> Callable[[float], None]:
    return lambda share: told((side + share) / 3)


def _answer(asked: DayAsked, played: Sequence[Played], cpu_s: float) -> WhatIfAnswer:
    day, changed = asked.day, changed_day(asked.day, asked.change)
    ids = sorted({name for each in played for name in each.requests})
    vendors, named = sorted({each.id for each in changed.vendors}), terms()
    looked = Looked(ids, vendors, named, pairs_of(day, asked.care))
    before, again = (side_of(each, day, looked) for each in played[:2])
    after = side_of(played[2], changed, looked)
    compared = Compared(ids, vendors, named, asked_of(played, ids, day.tz), before, again, after, drawn=True)
    return answer_of(compared, f"{day.name} of {day.date.isoformat()}", cpu_s)
