"""What a vendor says of itself and what ops says of it, in one document: who may change which."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from msgspec.structs import replace

from contracts.onboarding import Onboarding
from contracts.vendors import OpsPause, Paper, SeenPaper, Signed, Vendor
from dispatcher.domain.refusals import Invalid, WrongState

NAMED = 5  # papers spelled out in a refusal


def posted(sent: Vendor, before: Vendor | None, by: Signed, onboarding: Onboarding | None = None) -> Vendor:
    """What is stored of what was sent: what ops said stands, papers that are as they were stay verified.

    `onboarding`: where a new one begins.

    A paper is known by its kind, last day and document: one that was changed, or left out and sent again, is
    claimed anew. So a vendor that renews one lists both until the new one is verified. What was sent as its
    file stays with kind and last day.
    """
    stood = before.credentials if before else ()
    known = {(*_paper(each), each.document): each for each in stood}
    files = {_paper(each): each.file for each in stood}
    papers = tuple(
        known.get((*_paper(each), each.document))
        or replace(each, claimed=by, verified=None, file=files.get(_paper(each)))
        for each in sent.credentials
    )
    return replace(
        sent,
        credentials=papers,
        ops_pause=before.ops_pause if before else None,
        onboarding=before.onboarding if before else onboarding,
    )


def refuse_over(after: Vendor, before: Vendor | None, today: date, grace_days: int) -> None:
    """Raises Invalid for papers that it did not list before, and whose last day is past, with all grace.

    One that ran out since stays as it stood: the vendor is sent as a whole, whatever of it is changed. And
    ops may say that a paper ended: what is agreed beyond that becomes a task.
    """
    stood = set(map(_paper, before.credentials)) if before else set()
    last = today - timedelta(days=grace_days)
    over = [each for each in after.credentials if each.expires_on < last and _paper(each) not in stood]
    if over:
        named = "; ".join(f"{each.kind.value} until {each.expires_on}" for each in over[:NAMED])
        raise Invalid(
            f"vendor {after.id} claims what is over: {named}; in this market it is {today}\n"
            "Maybe the year is mistyped; leave out a paper that has run out."
        )


def paused(vendor: Vendor, reason: str, by: Signed) -> Vendor:
    """Paused by ops; as it is when it was so for the same reason. Raises WrongState: for another one."""
    stands = vendor.ops_pause
    if stands is not None and stands.reason == reason:
        return vendor
    if stands is not None:
        raise WrongState(
            f"vendor {vendor.id} was paused by {stands.subject or stands.by} at {stands.at.isoformat()}, for "
            "another reason\nMaybe resume it first: a pause is kept with the name of who made it.",
            state="paused",
        )
    return replace(vendor, ops_pause=OpsPause(by=by.by, subject=by.subject, at=by.at, reason=reason))


def resumed(vendor: Vendor) -> Vendor:
    """No longer paused by ops; what the vendor said itself stands."""
    return replace(vendor, ops_pause=None)


def verified(vendor: Vendor, papers: Sequence[SeenPaper], by: Signed, *, holds: bool) -> Vendor:
    """These papers verified by somebody, or (not `holds`) no longer; who did so first is kept.

    Raises WrongState for one that the vendor does not claim, or that has another document by now: it was
    changed since somebody looked at it.
    """
    wanted, claimed = set(map(_paper, papers)), set(map(_paper, vendor.credentials))
    for kind, expires_on in sorted(wanted - claimed):
        raise WrongState(
            f"vendor {vendor.id} claims no {kind} valid until {expires_on}\n"
            "Maybe it was changed since you looked: read the vendor again.",
            state="unclaimed",
        )
    _refuse_unseen(vendor, papers)
    seen = tuple(
        replace(each, verified=(each.verified or by) if holds else None) if _paper(each) in wanted else each
        for each in vendor.credentials
    )
    return replace(vendor, credentials=seen)


def _refuse_unseen(vendor: Vendor, papers: Sequence[SeenPaper]) -> None:
    """A document that came after somebody looked was seen by nobody."""
    files = {_paper(each): each.file.sha256 for each in vendor.credentials if each.file is not None}
    for each in papers:
        if each.sha256 is not None and files.get(_paper(each)) != each.sha256:
            raise WrongState(
                f"{each.kind.value} of vendor {vendor.id}, valid until {each.expires_on}, has not "
                "the document that you looked at\nMaybe another came since: read the vendor again, and look.",
                state="another_document",
            )


def _paper(paper: Paper) -> tuple[str, str]:
    return paper.kind.value, paper.expires_on.isoformat()
