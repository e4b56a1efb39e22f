"""Problem responses: what was raised as RFC 9457; a defect is logged without what it was working on."""

from __future__ import annotations

import math
from typing import Any

import structlog
from aiohttp import web

from contracts import codec
from contracts.problems import PROBLEM_JSON, PROBLEM_TYPES, Problem, members
from dispatcher.domain.refusals import Refusal
from dispatcher.runtime.logs import outline
from dispatcher.store.connection import misfiled

log = structlog.get_logger()

FRAMEWORK = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 415: "unsupported-media-type"}


def answer(error: Exception, call_id: str, media: str = codec.JSON) -> web.Response:
    """The response for whatever was raised."""
    response, body = told(error, call_id)
    response.headers["Content-Type"] = codec.MSGPACK if media == codec.MSGPACK else PROBLEM_JSON
    response.body = codec.encode(body, media)
    return response


def told(error: Exception, call_id: str) -> tuple[web.Response, dict[str, Any]]:
    """Its status and headers, and the members that its body is to tell in some form."""
    problem_type, detail, facts = _told(error, call_id)
    body = members(problem_type, detail, facts, call_id)
    headers = {"X-Request-Id": call_id, "Cache-Control": "no-store"}
    if "retry_after_s" in facts:
        headers["Retry-After"] = str(max(1, math.ceil(facts["retry_after_s"])))
    if "accept_encoding" in facts:
        headers["Accept-Encoding"] = facts["accept_encoding"]
    if problem_type == "unauthenticated":
        headers["WWW-Authenticate"] = "Bearer"
    if isinstance(error, web.HTTPMethodNotAllowed):
        headers["Allow"] = ", ".join(sorted(error.allowed_methods))
    return web.Response(status=body["status"], headers=headers), body


def _told(error: Exception, call_id: str) -> tuple[str, str, dict[str, Any]]:
    """The problem's type, detail and extension members."""
    if isinstance(error, Problem | Refusal):
        return error.type, error.detail, error.facts
    if isinstance(error, web.HTTPException) and error.status in FRAMEWORK:
        problem_type = FRAMEWORK[error.status]
        return problem_type, PROBLEM_TYPES[problem_type].title, {}
    report(error, call_id)
    if (unreadable := misfiled(error)) is not None:
        return unreadable.type, unreadable.detail, unreadable.facts
    return "internal", "an unexpected failure; the log has it under this call_id", {}


def report(error: BaseException, call_id: str) -> None:
    """Log a defect: what and where, not its text or variables, which may hold patient data."""
    log.error("unexpected failure", **outline(error), call_id=call_id)
