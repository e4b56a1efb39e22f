"""Matches that a rule's own check refused although its mask had allowed them: a defect, and nobody's fault.

The vendor is left out for that request until it, or the tuning, is another: the same is not planned for ever,
others have their turn, and the request is told which rule it was.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from msgspec.structs import replace

from contracts.unmatched import RuleCount, Unmatched
from dispatcher.matching.reading import Reading
from solvers.rules import capacity, declined, time_window

PASSING: Final = frozenset({capacity.RULE.code, time_window.RULE.code})  # may be otherwise at the next look


class _Refusal(NamedTuple):
    """By which rule, of what was read."""

    rule: str
    vendor: int
    tuning: int
    raised: bool = False


@dataclass(eq=False)
class Refused:
    """By request, which vendors' matches were refused. Threads read it while more is noted."""

    found: dict[str, Mapping[str, _Refusal]] = field(default_factory=dict)

    def note(self, request_id: str, vendor_id: str, rule: str, reading: Reading) -> None:
        """A match with this vendor was refused by a rule; what passes by itself is not kept."""
        if rule not in PASSING:
            self._keep(request_id, vendor_id, _Refusal(rule, *_as_read(vendor_id, reading)))

    def note_raised(self, request_id: str, vendor_id: str, rule: str, reading: Reading) -> int:
        """Checking a match with this vendor raised, in a rule or step; for how many vendors it did so far."""
        self._keep(request_id, vendor_id, _Refusal(rule, *_as_read(vendor_id, reading), raised=True))
        return sum(each.raised for each in self.found[request_id].values())

    def _keep(self, request_id: str, vendor_id: str, refusal: _Refusal) -> None:
        self.found[request_id] = {**self.found.get(request_id, {}), vendor_id: refusal}

    def of(self, request_id: str, reading: Reading) -> Mapping[str, str]:
        """The rule by vendor, of those that are still as they were."""
        refusals = self.found.get(request_id, {})
        return {
            vendor: each.rule
            for vendor, each in refusals.items()
            if (each.vendor, each.tuning) == _as_read(vendor, reading)
        }

    def forget_all_but(self, ids: Collection[str]) -> None:
        """Keep what is known of these requests only."""
        self.found = {name: each for name, each in self.found.items() if name in ids}


def told_apart(why: Unmatched, rules: Collection[str]) -> Unmatched:
    """The reasons with these vendors counted under the rules that refused them, not as having declined."""
    if not rules:
        return why
    counts = {each.rule: each.vendors for each in why.removed}
    counts[declined.RULE.code] = max(0, counts.get(declined.RULE.code, 0) - len(rules))
    for rule in rules:
        counts[rule] = counts.get(rule, 0) + 1
    removed = tuple(RuleCount(rule=rule, vendors=count) for rule, count in counts.items() if count)
    was_last = why.last_rule in ("", declined.RULE.code) and not why.competition
    return replace(why, removed=removed, last_rule=[*rules][-1] if was_last else why.last_rule)


def _as_read(vendor_id: str, reading: Reading) -> tuple[int, int]:
    return reading.versions.get((vendor_id, ""), 0), reading.tuning.version
