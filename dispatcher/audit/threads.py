"""Whether threads are forgotten with what they are about, as it is stored."""

from __future__ import annotations

from collections.abc import Iterator

from dispatcher.domain.threads import LOOK_AGAIN_MS, SUBJECTS, THREAD_KIND, ThreadRecord
from dispatcher.store.survey import Survey, of_kind


def outlived(found: Survey) -> Iterator[tuple[str, str]]:
    """No thread outlives what it is about; one that began as that went is seen to by its own timer."""
    for thread in of_kind(found, THREAD_KIND.name, ThreadRecord):
        kind = SUBJECTS[thread.about].kind
        is_there = thread.owner_id in found.records.get(kind, {}) or thread.owner_id in found.damaged.get(
            kind, set()
        )
        if not is_there and thread.timer_ms - thread.began_ms > LOOK_AGAIN_MS:
            yield thread.id, "has outlived what it is about"
