"""What-if: asked, followed, read, exported, cancelled."""

from __future__ import annotations

import asyncio
import contextlib

import msgspec
from aiohttp import ClientConnectionResetError, web

from contracts.base import Id
from contracts.codes import Role
from contracts.operations import Answer, Body
from contracts.problems import Unauthenticated
from contracts.what_if import WhatIfPage, WhatIfRequest, WhatIfState, WhatIfView
from dispatcher.domain.refusals import Refusal
from dispatcher.http.call import Call, Reply
from dispatcher.http.entry import GATE
from dispatcher.http.events import HEADERS, SSE
from dispatcher.http.parts import Parts
from dispatcher.http.routing import MARKET, Routes
from dispatcher.service.what_if_csv import as_csv

WHAT_IFS = f"{MARKET}/what-if"
WHAT_IF = f"{WHAT_IFS}/{{what_if_id}}"
ROUTES = Routes("what-if", 95, what_if_id=Id)
LOOK_S = 0.5
GOES_ON = frozenset({WhatIfState.QUEUED, WhatIfState.RUNNING})
CSV = "text/csv"
ENDS = (ClientConnectionResetError, ConnectionResetError, Unauthenticated, Refusal)  # or it is forgotten


@ROUTES.post(
    WHAT_IFS,
    id="askWhatIf",
    roles={Role.OPS},
    body=Body(WhatIfRequest),
    keyed=True,
    answers={202: Answer("it waits for its turn", WhatIfView)},
    problems=("invalid-request",),
)
async def ask(call: Call, parts: Parts) -> Reply:
    """Ask what would be otherwise under other settings or vendors; nothing is changed by it."""
    key = call.idempotency("what-if")
    assert key is not None  # noqa: S101  (the operation is keyed)
    name = f"wi-{key.digest}"
    view = await parts.service.what_ifs.ask(call.principal, call.market, name, call.body, key.fingerprint)
    return Reply(view, status=202)


@ROUTES.get(
    WHAT_IFS, id="listWhatIfs", roles={Role.OPS}, answers={200: Answer("all that are kept", WhatIfPage)}
)
async def list_what_ifs(call: Call, parts: Parts) -> Reply:
    """List what-ifs, the latest first; without their answers."""
    return Reply(WhatIfPage(what_ifs=tuple(await parts.service.what_ifs.page(call.principal, call.market))))


@ROUTES.get(WHAT_IF, id="getWhatIf", roles={Role.OPS}, answers={200: Answer("the what-if", WhatIfView)})
async def read(call: Call, parts: Parts) -> Reply:
    """Read a what-if: how far it is; once it is done, what would be otherwise."""
    return Reply(await parts.service.what_ifs.get(call.principal, call.market, call.path["what_if_id"]))


@ROUTES.post(
    f"{WHAT_IF}/cancel",
    id="cancelWhatIf",
    roles={Role.OPS},
    answers={200: Answer("the what-if", WhatIfView)},
)
async def cancel(call: Call, parts: Parts) -> Reply:
    """Cancel a what-if: what works on it ends within a second."""
    return Reply(await parts.service.what_ifs.cancel(call.principal, call.market, call.path["what_if_id"]))


@ROUTES.get(
    f"{WHAT_IF}/rows.csv",
    id="exportWhatIf",
    roles={Role.OPS},
    answers={200: Answer("a line for each request that would fare otherwise; times in UTC", media=CSV)},
    problems=("wrong-state",),
)
async def export(call: Call, parts: Parts) -> web.Response:
    """Export the requests that would fare otherwise, as CSV."""
    name = call.path["what_if_id"]
    answer = await parts.service.what_ifs.answer(call.principal, call.market, name)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return web.Response(text=as_csv(answer), content_type=CSV, charset="utf-8", headers=headers)


@ROUTES.get(
    f"{WHAT_IF}/events",
    id="followWhatIf",
    roles={Role.OPS},
    stream=True,  # it must not hold the place of a call while a what-if waits its turn
    answers={
        200: Answer(
            "the what-if each time that it is otherwise, as JSON, without its answer", None, media=SSE
        )
    },
)
async def follow(call: Call, parts: Parts) -> web.StreamResponse:
    """Follow a what-if until it is over (server-sent events)."""
    gate, name = call.raw.app[GATE], call.path["what_if_id"]
    view = await parts.service.what_ifs.get(call.principal, call.market, name)
    response = web.StreamResponse(headers={**HEADERS, "X-Request-Id": call.call_id})
    with parts.metrics.streams.track_inprogress(), contextlib.suppress(*ENDS):
        await response.prepare(call.raw)
        await response.write(_event(view))
        while view.state in GOES_ON:
            await asyncio.sleep(LOOK_S)
            await gate.still(call.raw)  # it ends with the caller's token
            before, view = view, await parts.service.what_ifs.get(call.principal, call.market, name)
            await response.write(_event(view) if view != before else b": still here\n\n")
    return response


def _event(view: WhatIfView) -> bytes:
    told = msgspec.structs.replace(view, answer=None)
    return b"data: %b\n\n" % msgspec.json.encode(told)
