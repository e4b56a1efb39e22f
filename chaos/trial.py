"""What a scenario may use, and what came of it: the audit's findings first of all."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from contracts.codes import RequestState
from dispatcher.security.key_files import PatientKeyFile

RING = PatientKeyFile("chaos", {"chaos": bytes(range(32))})
SHOWN = 20  # findings that are kept in words; all are counted


class Report(msgspec.Struct):
    """The figures of one scenario."""

    scenario: str
    about: str = ""  # what it was played with
    rounds: int = 0
    strikes: int = 0  # kills, fillings, fail-overs, damages
    acknowledged: int = 0
    lost: int = 0
    double_booked: int = 0
    found: int = 0
    findings: list[str] = msgspec.field(default_factory=list)
    longest_recovery_s: float = 0.0
    longest_take_over_s: float = 0.0  # from a matcher's death until another has its market
    kills: dict[str, int] = msgspec.field(default_factory=dict)  # by part, where several are killed
    counts: dict[str, int] = msgspec.field(default_factory=dict)  # what else it counted, by its name


class Trial:
    """One scenario's rounds, in a folder of its own."""

    def __init__(
        self,
        folder: Path,
        rounds: int,
        seed: int = 0,
        *,
        name: str = "",
        tell: Callable[[Report], None] = lambda report: None,
        wheel: Path | None = None,
    ) -> None:
        """`tell` is called after each round. `wheel`: of the last release, where one is at hand."""
        self.wheel = wheel
        self.folder, self.rounds, self.seed, self._tell = folder, rounds, seed, tell
        self.report = Report(name)
        self.states = set[RequestState]()  # how requests have ended: whether the rounds led to anything

    @property
    def findings(self) -> list[str]:
        """What is wrong, in words."""
        return self.report.findings

    def find(self, finding: str) -> None:
        """A promise that was not kept."""
        self.report.found += 1
        if len(self.findings) < SHOWN:
            self.findings.append(finding)

    def judged(self, audited: Mapping[str, Any], acknowledged: Collection[str] | int = 0) -> None:
        """Count what `audit` says of a market, and what was acknowledged there."""
        self.report.acknowledged += acknowledged if isinstance(acknowledged, int) else len(acknowledged)
        for each in audited["findings"]:
            self.report.lost += each["rule"] == "lost"
            self.report.double_booked += each["rule"] == "overbooked"
            self.find(f"{audited['market']}: {each['rule']}: {each['subject']} {each['detail']}")

    @contextlib.contextmanager
    def strike(self) -> Iterator[None]:
        """Around a blow and all that passes until the work goes on: the time to recovery."""
        began_s = time.monotonic()
        yield
        self.report.strikes += 1
        self.report.longest_recovery_s = max(self.report.longest_recovery_s, time.monotonic() - began_s)

    @contextlib.contextmanager
    def take_over(self) -> Iterator[None]:
        """Around the time in which another takes up what a killed one had."""
        began_s = time.monotonic()
        yield
        self.report.longest_take_over_s = max(self.report.longest_take_over_s, time.monotonic() - began_s)

    def killed(self, *parts: str) -> None:
        """One more of each part was killed."""
        for each in parts:
            self.report.kills[each] = self.report.kills.get(each, 0) + 1

    def count(self, name: str, number: int = 1) -> None:
        """So many more of what goes by that name."""
        self.report.counts[name] = self.report.counts.get(name, 0) + number

    def over(self) -> None:
        """One round is over."""
        self.report.rounds += 1
        self._tell(self.report)
