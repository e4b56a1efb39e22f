"""The audit of a market: who changed what, when and why; and who looked at a patient block."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from msgspec import Meta

from contracts.base import Id, Instant, Wire
from contracts.paging import Cursor, PageSize


class ActGroup(StrEnum):
    """What acts are about, as they are listed."""

    TUNING = "tuning"
    VENDORS = (
        "vendors"  # registered, changed, paused, papers verified, capacity posted by ops, disputes answered
    )
    WORK = "work"  # on requests, tasks, standing orders, notifications, dead letters: by hand
    AUTHORIZATIONS = "authorizations"
    PATIENTS = "patients"  # who read a patient block


class ActQuery(Wire):
    """Which acts to list, the newest first; all that is given has to hold. `subject`: whom tokens name."""

    group: ActGroup | None = None
    about: Annotated[str, Meta(max_length=64, description="id of what it was about")] = ""
    subject: Annotated[str, Meta(max_length=128, description="who: a subject, or a role")] = ""
    before: Annotated[Instant | None, Meta(description="before this moment only")] = None
    cursor: Cursor = ""
    limit: PageSize = 50


class ActView(Wire, omit_defaults=False):
    """One act. `by`: the role that gave the right, or a vendor; `subject`: who of it, as the token said.

    `act`: in words with `_` between; `detail`: its codes and numbers; `reason`: as it was given.
    """

    id: Id
    at: Instant
    by: str
    subject: str
    group: ActGroup
    act: str
    kind: str  # of what it was about: request, vendor, tuning …
    about: str
    detail: str = ""
    reason: str = ""


class ActPage(Wire, omit_defaults=False):
    """Acts, the newest first; `cursor` is empty on the last page; a short page may have one all the same."""

    acts: tuple[ActView, ...] = ()
    cursor: str = ""
