"""What is carried of a trace, that it costs nothing while it is off, and that a collector gets it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from dispatcher.runtime import otel, traces
from dispatcher.runtime.errors import UserError
from dispatcher.runtime.urls import TracesUrl
from tests.traced import tracing

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_what_a_caller_says_is_carried_and_shown_again() -> None:
    assert len(traces.read(CALLER)) == traces.SIZE
    assert traces.shown(traces.read(CALLER)) == CALLER
    later = CALLER.replace("00-", "01-", 1) + "-more"  # a later version may say more
    assert traces.read(later) == traces.read(CALLER)


@pytest.mark.parametrize(
    "odd",
    [
        None,
        7,
        "",
        "Jane Doe",
        CALLER.upper(),
        CALLER + "-more",
        CALLER.replace("00-", "ff-", 1),
        CALLER.replace("4bf92f3577b34da6a3ce929d0e0e4736", "0" * 32),
        CALLER.replace("00f067aa0ba902b7", "0" * 16),
        CALLER[:-1],
        " " + CALLER,
    ],
)
def test_anything_else_is_no_trace(odd: object) -> None:
    assert traces.read(odd) == b""
    assert traces.shown(b"x") == traces.shown(b"") == ""


def test_off_it_makes_nothing_and_carries_nothing() -> None:
    assert not traces.on()
    with traces.span("a", parent=traces.read(CALLER)) as span, traces.part("b"), traces.about("c", b""):
        span.note(dispatcher__market="metro")
        assert traces.carried() == b""


def test_a_part_is_within_its_span_and_a_span_of_another_trace_links_to_it() -> None:
    with tracing() as spans:
        with traces.part("alone"), traces.about("nobody's", b""):
            pass
        with traces.span("batch"):
            with traces.part("solve"):
                pass
            with (
                traces.span("match", parent=traces.read(CALLER)),
                traces.about("commit", traces.read(CALLER)),
            ):
                pass
    assert spans.names == ["solve", "commit", "match", "batch"]
    solve, commit, match, batch = spans.finished
    assert solve.parent.span_id == batch.context.span_id
    assert traces.shown(traces.read(CALLER))[3:35] == f"{match.context.trace_id:032x}"
    assert match.parent.is_remote
    assert [each.context.span_id for each in match.links] == [batch.context.span_id]
    assert (commit.parent.span_id, commit.links) == (match.context.span_id, ())


def test_a_caller_that_is_not_sampled_is_not_recorded() -> None:
    with tracing() as spans, traces.span("a", parent=traces.read(CALLER[:-1] + "0")):
        assert traces.shown(traces.carried()).endswith("-00")
    assert spans.names == []


def test_an_error_is_told_by_its_kind_alone() -> None:
    with tracing() as spans, pytest.raises(ValueError, match="Jane Doe"), traces.span("a"):
        raise ValueError("Jane Doe")
    (span,) = spans.finished
    assert span.status.description == "ValueError"
    assert "Jane" not in span.to_json()


async def test_a_collector_gets_the_spans_over_http() -> None:
    got: list[Any] = []

    async def collect(request: web.Request) -> web.Response:
        body = await request.read()
        assert request.headers["Content-Type"] == "application/x-protobuf"
        got.append(ExportTraceServiceRequest.FromString(body))
        return web.Response()

    app = web.Application()
    app.router.add_post("/v1/traces", collect)
    async with TestServer(app) as server:
        tracer = otel.open_tracer(TracesUrl.parse(str(server.make_url("/"))), "web")
        with tracer.span("POST /x", "server", b"", {"http__route": "/x"}):
            pass
        await asyncio.to_thread(tracer.close)
    (resource,) = got[0].resource_spans
    named = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert (named["service.name"], named["dispatcher.role"]) == ("dispatcher", "web")
    (span,) = resource.scope_spans[0].spans
    assert (span.name, span.attributes[0].key) == ("POST /x", "http.route")


def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(UserError, match="DISPATCHER_TRACES_URL") as refused:
        otel.need()
    assert "dispatcher[otel]" in str(refused.value.remedy)


@pytest.mark.parametrize("odd", ["collector:4318", "ftp://c", "http://", "http://u:p@c", "http://c/?key=1"])
def test_an_address_that_is_none_is_refused(odd: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        TracesUrl.parse(odd)
