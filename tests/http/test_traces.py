"""One trace from the call that submits a request to what its vendor answers."""

from __future__ import annotations

import json
from typing import Any

from contracts.codes import Role
from dispatcher.runtime import traces
from dispatcher.store.events import unpack_event
from tests.http.conftest import Api, trip
from tests.traced import tracing

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = f"00-{TRACE}-00f067aa0ba902b7-01"
PATIENT = {"name": "Jane Doe", "phone": "+1 555 0100", "pickup_address": "1 Example Street"}


async def _events(api: Api) -> list[Any]:
    found = await api.store.reader.ask("XRANGE", api.store.market(api.market).keys.events, "-", "+")
    return [unpack_event(fields[b"ce"]) for _, fields in found]


async def _submitted(api: Api) -> None:
    status, _ = await api.call("POST", "/requests", trip("r1", patient=PATIENT), traceparent=CALLER)
    assert status == 202


async def test_a_request_is_traced_as_its_caller_traces_it(api: Api) -> None:
    with tracing() as spans:
        await _submitted(api)
    call = spans.named("POST /v1/markets/{market}/requests")
    assert f"{call.context.trace_id:032x}" == TRACE
    assert call.kind.name == "SERVER"
    assert call.attributes["http.response.status_code"] == 202
    assert spans.named("commit").parent.span_id == call.context.span_id
    record = await api.store.market(api.market).requests.records.get("r1")
    assert traces.shown(record.trace) == f"00-{TRACE}-{call.context.span_id:016x}-01"
    assert [each.traceparent for each in await _events(api)] == [traces.shown(record.trace)]


async def test_what_becomes_of_it_later_is_in_its_trace_whoever_does_it(api: Api) -> None:
    with tracing() as spans:
        await _submitted(api)
        assert (await api.call("POST", "/requests/r1/hold", {"reason": "authorization"}, role=Role.OPS))[
            0
        ] == 200
    hold, call = (
        spans.named("HoldRequest"),
        spans.named("POST /v1/markets/{market}/requests/{request_id}/hold"),
    )
    assert f"{hold.context.trace_id:032x}" == TRACE
    assert [each.context.span_id for each in hold.links] == [call.context.span_id]
    assert hold.attributes["dispatcher.subject"] == "r1"
    assert {each.traceparent[3:35] for each in await _events(api)} == {TRACE}


async def test_no_span_holds_patient_data_or_an_address(api: Api) -> None:
    with tracing() as spans:
        await _submitted(api)
        await api.call("GET", "/requests?id=Jane&cursor=Doe")
        await api.call("POST", "/requests", trip("r2", patient={"name": 7}))
        async with api.client.get("/metrics"), api.client.get("/readyz"):
            pass
    told = json.dumps([json.loads(each.to_json()) for each in spans.finished])
    assert not [each for each in ("Jane", "Doe", "555 01", "Example", api.market + "/") if each in told]
    assert "GET /metrics" not in spans.names
    assert len(spans.names) == 4  # three calls and a commit


async def test_untraced_nothing_is_stored_or_told(api: Api) -> None:
    await _submitted(api)
    record = await api.store.market(api.market).requests.records.get("r1")
    assert record.trace == b""
    assert [each.traceparent for each in await _events(api)] == [""]


async def test_what_was_taken_in_untraced_has_no_trace_of_its_own_later(api: Api) -> None:
    await _submitted(api)
    with tracing() as spans:
        assert (await api.call("POST", "/requests/r1/hold", {"reason": "authorization"}, role=Role.OPS))[
            0
        ] == 200
    hold, call = (
        spans.named("HoldRequest"),
        spans.named("POST /v1/markets/{market}/requests/{request_id}/hold"),
    )
    assert hold.parent.span_id == call.context.span_id
