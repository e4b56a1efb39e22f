"""Dead letters: replies that could not be used; sent again by ops, or let go."""

from __future__ import annotations

from contracts.codes import Role
from contracts.dead_letters import DeadLetterPage, DeadLetterQuery, LetterId
from contracts.operations import Answer
from dispatcher.http.call import Call, Reply
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes

LETTERS = f"{MARKET}/dead-letters"
LETTER = f"{LETTERS}/{{letter_id}}"
LEFT = {200: Answer("the newest that are left", DeadLetterPage)}
ROUTES = Routes("service", 986, letter_id=LetterId)


@ROUTES.get(
    LETTERS,
    id="listDeadLetters",
    roles={Role.OPS},
    query=DeadLetterQuery,
    answers={200: Answer("a page", DeadLetterPage)},
)
async def list_letters(call: Call, parts: Parts) -> Reply:
    """List dead letters, the newest first."""
    return Reply(await parts.service.dead_letters.page(call.principal, call.market, call.query))


@ROUTES.post(
    f"{LETTER}/send-again",
    id="sendDeadLetterAgain",
    roles={Role.OPS},
    answers=LEFT,
    problems=("wrong-state",),
)
async def send_again(call: Call, parts: Parts) -> Reply:
    """Send a dead letter again: it is read once more, as if it had just come."""
    letters, who, market = parts.service.dead_letters, call.principal, call.market
    await letters.send_again(who, market, call.path["letter_id"])
    return Reply(await letters.page(who, market, DeadLetterQuery()))


@ROUTES.post(f"{LETTER}/forget", id="forgetDeadLetter", roles={Role.OPS}, answers=LEFT)
async def forget(call: Call, parts: Parts) -> Reply:
    """Let a dead letter go: it is listed no more, and its entry is deleted."""
    letters, who, market = parts.service.dead_letters, call.principal, call.market
    await letters.forget(who, market, call.path["letter_id"])
    return Reply(await letters.page(who, market, DeadLetterQuery()))
