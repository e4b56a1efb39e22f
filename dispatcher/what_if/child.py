"""What runs in the process of a what-if: at the lowest priority, one worker; it ends with who started it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import NamedTuple

import msgspec

from contracts.what_if import WhatIfAnswer
from dispatcher.domain.refusals import Refusal
from dispatcher.matching.low_priority import give_way
from dispatcher.runtime.unforeseen import told_of
from dispatcher.what_if.days import DayAsked, compare_day
from dispatcher.what_if.errand import Errand
from dispatcher.what_if.moment import MomentAsked, compare_moment
from solvers.rules import registry

TELL_S = 0.2


class Refused(NamedTuple):
    """It cannot be compared as it was asked for, and why."""

    detail: str


Asked = DayAsked | MomentAsked
Told = float | bytes | str | Refused  #: how far; the answer, packed; what went wrong


def work(line: Connection, asked: Asked | Errand, plugins: tuple[str, ...] = ()) -> None:
    """Read what is compared, unless that was done; compare; tell how far it is, at last the answer."""
    give_way()
    try:
        registry.load(*plugins)
        wanted = asyncio.run(asked.run()) if isinstance(asked, Errand) else asked
        line.send(msgspec.msgpack.encode(compare(wanted, _now_and_then(line.send))))
    except Refusal as refusal:
        line.send(Refused(refusal.detail))
    except Exception as error:
        line.send(told_of(error))


def compare(asked: Asked, told: Callable[[float], None]) -> WhatIfAnswer:
    """Whichever it is."""
    return compare_day(asked, told) if isinstance(asked, DayAsked) else compare_moment(asked, told)


def _now_and_then(send: Callable[[float], None]) -> Callable[[float], None]:
    last_s = 0.0

    def told(share: float) -> None:
        nonlocal last_s
        if time.monotonic() - last_s >= TELL_S:
            last_s = time.monotonic()
            send(share)

    return told
