"""Whether each that is to be told is told once, as it is stored."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from dispatcher.domain.notifications import (
    NOTIFICATION_KIND,
    NotificationRecord,
    NotificationState,
)
from dispatcher.store.survey import Survey, of_kind

NOT_TOLD = frozenset({NotificationState.DROPPED, NotificationState.PLANNED})


def told_twice(found: Survey) -> Iterator[tuple[str, str]]:
    """One thing of one dispatch is told once to each audience, each time that its start was agreed."""
    told = defaultdict[tuple[str, ...], list[str]](list)
    for each in of_kind(found, NOTIFICATION_KIND.name, NotificationRecord):
        if each.state not in NOT_TOLD:
            about = each.offer_id or each.request_id
            told[about, each.rule, each.audience.value, str(each.agreed)].append(each.id)
    for (about, rule, _, _), ids in told.items():
        if len(ids) > 1:
            yield about, f"has {len(ids)} notifications {rule} of one time: {', '.join(sorted(ids))}"
