"""Every need for a person is met from the moment that it comes to be (P11)."""

from __future__ import annotations

from collections.abc import Iterable

from dispatcher.audit.needs import Need, by_a_person, is_open, needs
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.tasks import TaskRecord


class Watch:
    """Looks at every moment: a task that a person ended does not stand for a need that came later."""

    def __init__(self) -> None:
        self.known: set[Need] = set()

    def look(self, records: Iterable[RequestRecord], tasks: Iterable[TaskRecord]) -> None:
        """Every need has an open task; one that was there before may have been ended, by a person."""
        there = list(tasks)
        now = {need for record in records for need in needs(record)}
        for need in now:
            about = [task for task in there if need.is_met_by(task)]
            was_ended = need in self.known and any(map(by_a_person, about))
            assert was_ended or any(map(is_open, about)), need
        self.known = now
