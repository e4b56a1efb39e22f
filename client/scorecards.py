"""Scorecards: figures of some days, what stands behind each, and disputes of an outcome."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

from client.answers import about
from client.http import Connection, segment
from client.pages import pages
from contracts.scorecards import (
    AnswerScoreDispute,
    Disputable,
    NewScoreDispute,
    Scorecard,
    ScoreDispute,
    ScoreDisputePage,
    ScoreRequest,
    ScoreRequestPage,
)


class ScorecardReader(Connection):
    """Calls with a token of a vendor, for its own; of ops, for all."""

    async def scorecard(
        self, vendor_id: str, first: date | None = None, last: date | None = None
    ) -> Scorecard:
        """What became of its work on these days; left out: the thirty days to this one."""
        path = _path(vendor_id)
        card = await self.call("GET", path, Scorecard, params=_days(first, last))
        return about(card, card.vendor_id, vendor_id, f"GET {path}")

    async def score_requests(
        self, vendor_id: str, figure: str, first: date | None = None, last: date | None = None
    ) -> AsyncIterator[ScoreRequest]:
        """What a figure counts, the earliest first. Raises Problem 422 for one that there is not."""
        asked = _days(first, last) | {"figure": figure}
        async for page in pages(self, f"{_path(vendor_id)}/requests", ScoreRequestPage, asked):
            for one in page.requests:
                yield one

    async def score_disputes(self, vendor_id: str) -> AsyncIterator[ScoreDispute]:
        """The oldest first, with what ops answered."""
        async for page in pages(self, f"{_path(vendor_id)}/disputes", ScoreDisputePage, {}):
            for one in page.disputes:
                yield one


class ScoreDisputer(ScorecardReader):
    """Calls with a token of a vendor."""

    async def dispute_score(
        self, vendor_id: str, offer_id: str, outcome: Disputable, text: str, *, key: str | None = None
    ) -> ScoreDispute:
        """An outcome is wrong: ops answers. Raises Problem 404 where it does not count, 409 the second."""
        body = NewScoreDispute(offer_id=offer_id, outcome=outcome, text=text)
        path = f"{_path(vendor_id)}/disputes"
        made = await self.call("POST", path, ScoreDispute, statuses={201}, body=body, key=key)
        return about(made, made.offer_id, offer_id, f"POST {path}")


class ScoreAnswerer(ScorecardReader):
    """Calls with a token of ops."""

    async def answer_score_dispute(
        self, vendor_id: str, dispute_id: str, reason: str, *, upheld: bool, key: str | None = None
    ) -> ScoreDispute:
        """Upheld, the outcome counts no more. Raises Problem 409 once it was answered otherwise."""
        body = AnswerScoreDispute(upheld=upheld, reason=reason)
        path = f"{_path(vendor_id)}/disputes/{segment(dispute_id)}/answer"
        answered = await self.call("POST", path, ScoreDispute, body=body, key=key)
        return about(answered, answered.id, dispute_id, f"POST {path}")


def _path(vendor_id: str) -> str:
    return f"/vendors/{segment(vendor_id)}/scorecard"


def _days(first: date | None, last: date | None) -> dict[str, str]:
    asked = {"from": first, "to": last}
    return {name: day.isoformat() for name, day in asked.items() if day is not None}
