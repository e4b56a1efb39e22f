"""Saved decisions: listed, read row by row, replayed; the last one on a request."""

from __future__ import annotations

from contracts.base import Id
from contracts.codes import Role
from contracts.decisions import (
    DecisionPage,
    DecisionQuery,
    DecisionView,
    Digest,
    Replay,
    RequestDecision,
    RowQuery,
)
from contracts.operations import Answer
from dispatcher.domain.rights import READS_DECISION
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.requests import REQUEST
from dispatcher.http.routing import MARKET, Routes
from dispatcher.service.decisions import Decisions

DECISIONS = f"{MARKET}/decisions"
DECISION = f"{DECISIONS}/{{digest}}"
ROUTES = Routes("decisions", 92, digest=Digest, request_id=Id)


@ROUTES.get(
    DECISIONS,
    id="listDecisions",
    roles={Role.OPS},
    query=DecisionQuery,
    answers={200: Answer("a page", DecisionPage)},
    problems=("invalid-request",),
)
async def list_decisions(call: Call, parts: Parts) -> Reply:
    """List saved decisions, the latest first: of a day, on a request, or all."""
    return Reply(await _decisions(parts).page(call.principal, call.market, call.query))


@ROUTES.get(
    DECISION,
    id="getDecision",
    roles={Role.OPS},
    query=RowQuery,
    answers={200: Answer("the decision", DecisionView)},
    problems=("invalid-request",),
)
async def read(call: Call, parts: Parts) -> Reply:
    """Read a saved decision: its figures, and for each request what was chosen or what stood against it."""
    found = await _decisions(parts).view(call.principal, call.market, call.path["digest"], call.query)
    return Reply(found)


@ROUTES.post(
    f"{DECISION}/replay",
    id="replayDecision",
    roles={Role.OPS},
    answers={200: Answer("how it replayed", Replay)},
)
async def replay(call: Call, parts: Parts) -> Reply:
    """Make a saved decision again: the same bytes, or its choice verified; nothing is changed."""
    return Reply(await _decisions(parts).replay(call.principal, call.market, call.path["digest"]))


@ROUTES.get(
    f"{REQUEST}/decision",
    id="getRequestDecision",
    roles=READS_DECISION,
    answers={200: Answer("the last decision on it", RequestDecision)},
)
async def on_request(call: Call, parts: Parts) -> Reply:
    """Read the last decision on a request: candidates, costs by term, runners-up, who was excluded by which
    rule.
    """
    found = await _decisions(parts).on_request(call.principal, call.market, call.path["request_id"])
    return Reply(found)


def _decisions(parts: Parts) -> Decisions:
    return parts.service.decisions
