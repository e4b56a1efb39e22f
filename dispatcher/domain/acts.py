"""Acts: who changed what by hand, and why; written in the commit of the change itself (P12)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from contracts.acts import ActGroup, ActView
from contracts.codes import Role
from contracts.instants import DAY_MS, to_instant
from contracts.tuning import Number, Parameter
from dispatcher.domain.compact import Record
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Change, Decision
from dispatcher.domain.kinds import Entry, Kind, register

KEPT = Parameter(
    name="audit_retention_days",
    default=730,
    minimum=30,
    maximum=3_650,
    unit="days",
    summary="How long it is kept who changed what by hand: vendors, requests, authorizations, capacity.",
    scope="domain.acts",
)
PARAMETERS = (KEPT,)
ACTS = "acts"  # all of them, by time
STAFF = frozenset({Role.OPS, Role.COORDINATOR, Role.CASE_MANAGER})  # whose acts are by hand
LONGEST = 200  # of a reason
SAID = ("vendor_id", "code", "requirement", "outcome", "cents")  # of a command: codes and ids, no text
GROUPS = {
    "tuning": ActGroup.TUNING,
    "vendor": ActGroup.VENDORS,
    "capacity": ActGroup.VENDORS,
    "cap": ActGroup.VENDORS,
    "score_dispute": ActGroup.VENDORS,
    "authorization": ActGroup.AUTHORIZATIONS,
}


class ActRecord(Record, frozen=True, tag=1):
    """One act; `timer_ms`: until when it is kept."""

    at_ms: int
    timer_ms: int
    by: str
    subject: str
    act: str
    kind: str
    about: str
    detail: str = ""
    reason: str = ""


def act(
    act_id: str,
    name: str,
    kind: str,
    about: str,
    *,
    by: str,
    subject: str,
    now_ms: int,
    values: Mapping[str, Number],
    detail: str = "",
    reason: str = "",
) -> Decision:
    """The entry, to be committed with what was done."""
    entry = ActRecord(
        id=act_id,
        version=1,
        at_ms=now_ms,
        timer_ms=now_ms + KEPT.whole(values) * DAY_MS,
        by=by,
        subject=subject,
        act=name,
        kind=kind,
        about=about,
        detail=detail,
        reason=reason[:LONGEST],
    )
    return Decision(changes=(Change(None, entry),), at_ms=now_ms)


def with_more(entry: Decision, more: Decision) -> Decision:
    """The entry together with what follows from the same act: one decision."""
    return replace(entry, changes=(*entry.changes, *more.changes), messages=(*entry.messages, *more.messages))


def of_command(act_id: str, command: Any, kind: str, context: Context) -> Decision:
    """The entry of a command that a person gave: `HoldRequest` → `hold_request`, its codes and reason."""
    name = re.sub("(?<=[a-z])(?=[A-Z])", "_", type(command).__name__).lower()
    said = [str(getattr(command, each, "") or "") for each in SAID]
    return act(
        act_id,
        name,
        kind,
        command.subject,
        by=context.by,
        subject=context.subject,
        now_ms=context.now_ms,
        values=context.values,
        detail=" ".join(filter(None, said)),
        reason=getattr(command, "reason", ""),
    )


def is_by_hand(by: str) -> bool:
    """Whether who acts by that name is one of the staff: a platform's own commands are its business."""
    return by in STAFF


def view(entry: ActRecord) -> ActView:
    """For ops."""
    return ActView(
        id=entry.id,
        at=to_instant(entry.at_ms),
        by=entry.by,
        subject=entry.subject,
        group=GROUPS.get(entry.kind, ActGroup.WORK),
        act=entry.act,
        kind=entry.kind,
        about=entry.about,
        detail=entry.detail,
        reason=entry.reason,
    )


def _forgotten(entry: ActRecord, context: Context) -> Decision | None:
    if entry.timer_ms > context.now_ms:
        return None
    return Decision(changes=(Change(entry, None),), at_ms=context.now_ms)


ACT_KIND = register(
    Kind(
        name="act",
        form=ActRecord,
        key="act",
        timers="timers:act",
        timer_ms=lambda entry: entry.timer_ms,
        lists=lambda entry: {Entry(ACTS, entry.id): entry.at_ms},
        may_become=lambda before, after: before is None or after is None,  # nobody changes one
        on_timer=_forgotten,
        ids_of_others=True,
        sealed=ACTS,
    )
)
