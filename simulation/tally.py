"""What the demo saw with its own eyes: counted by the platform's and the vendors' ends, in real time."""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Collection

from contracts.codes import RequestState


@dataclasses.dataclass
class Tally:
    """Counts and measurements; times are `time.monotonic()` seconds."""

    planned: int
    started_s: float = dataclasses.field(default_factory=time.monotonic)
    acknowledged: dict[str, float] = dataclasses.field(default_factory=dict)  # request id -> time of its 202
    refused: dict[str, str] = dataclasses.field(default_factory=dict)  # request id -> why, in words
    imminent: set[str] = dataclasses.field(default_factory=set)
    states: dict[str, RequestState] = dataclasses.field(default_factory=dict)
    versions: dict[str, int] = dataclasses.field(default_factory=dict)
    matched: set[str] = dataclasses.field(default_factory=set)
    submit_ms: list[float] = dataclasses.field(default_factory=list)
    heard: dict[str, float] = dataclasses.field(
        default_factory=dict
    )  # request id -> its first offer at a vendor
    vendors: Counter[str] = dataclasses.field(default_factory=Counter)  # what vendors did, by name
    desk: Counter[str] = dataclasses.field(default_factory=Counter)  # what people at desks did about them
    first_match_s: float | None = None
    episodes: set[str] = dataclasses.field(default_factory=set)
    sent_twice: int = 0  # requests that were asked for again, by somebody who did not know of them
    caught: int = 0  # of these, told to be possible duplicates
    let_through: set[str] = dataclasses.field(default_factory=set)  # and taken in all the same
    released: set[tuple[str, str]] = dataclasses.field(default_factory=set)  # "go anyway": before, after

    disputed: int = 0  # lines of prices that the platform found wrong
    settled: int = 0  # of these, answered by ops
    put_off: set[str] = dataclasses.field(default_factory=set)  # asked to be later, for what goes before it

    def began(self, episode_id: str, request_ids: Collection[str]) -> None:
        """An episode with all its requests is safe."""
        self.episodes.add(episode_id)
        self.acknowledged |= dict.fromkeys(request_ids, time.monotonic())
        for each in request_ids:
            self.saw_state(each, RequestState.RECEIVED, 0)

    @property
    def safe(self) -> set[str]:
        """All that was said to be stored."""
        return self.acknowledged.keys() | self.let_through

    def by_state(self) -> Counter[RequestState]:
        """How many requests are in each state now."""
        return Counter(self.states.values())

    def saw_state(self, request_id: str, state: RequestState, version: int) -> None:
        """An event says so; an older one that comes late changes nothing."""
        if version >= self.versions.get(request_id, -1):
            self.versions[request_id], self.states[request_id] = version, state

    def saw_match(self, request_id: str) -> None:
        """The platform heard of a match."""
        if self.first_match_s is None:
            self.first_match_s = time.monotonic() - self.started_s
        self.matched.add(request_id)

    def saw_offer(self, request_id: str) -> None:
        """A vendor has the message."""
        self.heard.setdefault(request_id, time.monotonic())

    def offer_ms(self, waited: Collection[str] = ()) -> list[float]:
        """202 → vendor has the message, for imminent requests; 0 where the message was first.

        Without those that `waited` until a vendor had room: their time is the vendors', not the service's.
        """
        both = (self.imminent & self.heard.keys() & self.acknowledged.keys()) - set(waited)
        return [max(0.0, 1000 * (self.heard[each] - self.acknowledged[each])) for each in both]


def percentile(values: list[float], share: float) -> float | None:
    """The smallest value that `share` of all do not exceed; None of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else None
