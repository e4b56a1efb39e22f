"""What a routing server has said of pairs of points: the longest unused goes first, the old is asked anew."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from solvers.known_travel import HOURS, Answer, Answers, Pair

MOST_ANSWERS = 200_000  # some 30 MB
KEEP_S = (
    86_400.0  # real seconds: then an answer is still used, but asked for anew: maps are brought up to date
)
NO_ROAD_KEEP_S = 3_600.0
ANY_HOUR = -1


class _Said(NamedTuple):
    answer: Answer | None  #: None: there is no road
    at_s: float

    def is_old(self, now_s: float) -> bool:
        return now_s - self.at_s > (KEEP_S if self.answer else NO_ROAD_KEEP_S)


class Cache:
    """Answers by pair and local hour; one without traffic stands for all hours."""

    def __init__(self, most: int = MOST_ANSWERS) -> None:
        self._most, self._held = most, 0
        self._pairs: OrderedDict[Pair, dict[int, _Said]] = OrderedDict()

    def __len__(self) -> int:
        """Pairs of which something is known."""
        return len(self._pairs)

    def look(self, pair: Pair, hours: Sequence[int], now_s: float) -> tuple[Answers, list[int]]:
        """What is known of a pair by hour, and for which of these hours it is to be asked for."""
        said = self._pairs.get(pair)
        if said is None:
            return {}, list(hours)
        self._pairs.move_to_end(pair)
        if (whole := said.get(ANY_HOUR)) is not None:
            always = dict.fromkeys(range(HOURS), whole.answer) if whole.answer else {}
            return always, list(hours[:1]) if whole.is_old(now_s) else []
        missing = [hour for hour in hours if _lacks(said, hour, now_s)]
        return {hour: each.answer for hour, each in said.items() if each.answer}, missing

    def lacks(self, pair: Pair, hour: int, now_s: float) -> bool:
        """Whether it is to be asked for."""
        return _lacks(self._pairs.get(pair, {}), hour, now_s)

    def keep(self, pair: Pair, hour: int, answer: Answer | None, now_s: float) -> None:
        """What was answered; that there is no road holds at any hour."""
        said = self._pairs.pop(pair, {})
        self._held -= len(said)
        if answer is None or not answer.by_hour:
            said, hour = {}, ANY_HOUR
        else:
            said.pop(ANY_HOUR, None)
        said[hour] = _Said(answer, now_s)
        self._pairs[pair] = said
        self._held += len(said)
        while self._held > self._most and len(self._pairs) > 1:
            self._held -= len(self._pairs.popitem(last=False)[1])

    def __iter__(self) -> Iterator[Pair]:
        """The longest unused first."""
        return iter(self._pairs)


def _lacks(said: dict[int, _Said], hour: int, now_s: float) -> bool:
    found = said.get(ANY_HOUR) or said.get(hour)
    return found is None or found.is_old(now_s)
