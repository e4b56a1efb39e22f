"""Whose clock is wrong, in words: a machine's own, or that of the server that has a market."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dispatcher.store.skew import all_ahead_s

WRONG_CLOCK: Final = "wrong_clock"  #: processes whose clock is not the store's
STORE_CLOCK: Final = "store_clock"  #: the store's is not that of any process that runs


def wrong_clocks(clocks: Mapping[str, int]) -> dict[str, str]:
    """By name what is to be told of these processes, each with the seconds that it is ahead of the store."""
    if by_s := all_ahead_s(clocks.values()):
        waits = f"; timers fire {by_s} s late" if by_s > 0 else ""
        return {
            STORE_CLOCK: f"it is {_told(-by_s)} those of all processes that run here ({len(clocks)}): "
            f"it is wrong, or all of them are{waits}"
        }
    wrong = [
        f"that of {name} is {_told(ahead)} the store's" for name, ahead in sorted(clocks.items()) if ahead
    ]
    return {WRONG_CLOCK: "; ".join(wrong)} if wrong else {}


def _told(ahead_s: int) -> str:
    return f"{abs(ahead_s)} s {'ahead of' if ahead_s > 0 else 'behind'}"
