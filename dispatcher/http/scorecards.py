"""Scorecards: read by their vendors and ops, figure by figure; disputed by vendors, answered by ops."""

from __future__ import annotations

from contracts.base import Id
from contracts.operations import Answer, Body
from contracts.scorecards import (
    AnswerScoreDispute,
    DisputeId,
    NewScoreDispute,
    Scorecard,
    ScoreDispute,
    ScoreDisputePage,
    ScoreDisputeQuery,
    ScoreQuery,
    ScoreRequestPage,
    ScoreRequestQuery,
)
from dispatcher.domain.commands.dispute_score import AnswerDispute, DisputeScore
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes
from dispatcher.service.scorecards import READS_SCORECARD

CARD = f"{MARKET}/vendors/{{vendor_id}}/scorecard"
DISPUTES = f"{CARD}/disputes"
ROUTES = Routes("scorecards", 32, vendor_id=Id, dispute_id=DisputeId)


@ROUTES.get(
    CARD,
    id="getScorecard",
    roles=READS_SCORECARD,
    query=ScoreQuery,
    answers={200: Answer("the scorecard", Scorecard)},
    problems=("invalid-request",),
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read a vendor's scorecard over some days: offers, answers, punctuality, by level, zone and hour."""
    card = parts.service.scorecards.view
    return Reply(await card(call.principal, call.market, call.path["vendor_id"], call.query))


@ROUTES.get(
    f"{CARD}/requests",
    id="listScoreRequests",
    roles=READS_SCORECARD,
    query=ScoreRequestQuery,
    answers={200: Answer("a page", ScoreRequestPage)},
    problems=("invalid-request",),
)
async def requests(call: Call, parts: Parts) -> Reply:
    """List what stands behind a figure of a scorecard, the earliest first."""
    behind = parts.service.scorecards.requests
    return Reply(await behind(call.principal, call.market, call.path["vendor_id"], call.query))


@ROUTES.post(
    DISPUTES,
    id="disputeScore",
    command=DisputeScore,
    body=Body(NewScoreDispute),
    answers={201: Answer("the dispute", ScoreDispute)},
    problems=("wrong-state",),
)
async def dispute(call: Call, parts: Parts) -> Reply:
    """Dispute an outcome on your scorecard; ops answers. The text is encrypted at rest."""
    vendor_id = call.path["vendor_id"]
    key = call.idempotency(f"score-dispute/{vendor_id}")
    made = await parts.service.scorecards.dispute(call.principal, call.market, vendor_id, call.body, key)
    return Reply(made, 201)


@ROUTES.get(
    DISPUTES,
    id="listScoreDisputes",
    roles=READS_SCORECARD,
    query=ScoreDisputeQuery,
    answers={200: Answer("a page", ScoreDisputePage)},
)
async def disputes(call: Call, parts: Parts) -> Reply:
    """List a vendor's disputes, the oldest first, with what ops answered."""
    found = parts.service.scorecards.disputes
    return Reply(await found(call.principal, call.market, call.path["vendor_id"], call.query))


@ROUTES.post(
    f"{DISPUTES}/{{dispute_id}}/answer",
    id="answerScoreDispute",
    command=AnswerDispute,
    body=Body(AnswerScoreDispute),
    answers={200: Answer("the dispute, answered", ScoreDispute)},
    problems=("wrong-state",),
)
async def answer(call: Call, parts: Parts) -> Reply:
    """Answer a dispute: upheld, the outcome counts no more from now on; the vendor reads your reason."""
    vendor_id, name = call.path["vendor_id"], call.path["dispute_id"]
    key = call.idempotency(f"score-answer/{name}")
    view = await parts.service.scorecards.answer(
        call.principal, call.market, vendor_id, name, said=call.body, idempotency=key
    )
    return Reply(view)
