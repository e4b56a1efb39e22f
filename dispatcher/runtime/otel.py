"""Spans as OpenTelemetry has them, sent to a collector by OTLP over HTTP (extra `[otel]`).

`OTEL_*` variables hold, as its SDK reads them: sampler, headers, resource attributes, bounds of the queue.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from dispatcher import __version__
from dispatcher.runtime.errors import UserError
from dispatcher.runtime.traces import SIZE, Fact, Kind, Span
from dispatcher.runtime.urls import TracesUrl

if TYPE_CHECKING:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import SpanProcessor
    from opentelemetry.trace import SpanContext

FLUSH_MS = 2_000  # at the end: what a collector does not take by then is lost
EXPORT_S = 5.0
PATH = "/v1/traces"


def need() -> None:
    """Raises UserError where the extra is not installed."""
    try:
        import opentelemetry.exporter.otlp.proto.http  # noqa: PLC0415
        import opentelemetry.sdk.trace  # noqa: F401, PLC0415
    except ImportError as error:
        raise UserError(
            "DISPATCHER_TRACES_URL is set, and OpenTelemetry is not installed.",
            "Maybe: pip install 'dispatcher[otel]'; or leave the setting out.",
        ) from error


def open_tracer(url: TracesUrl, role: str) -> OtelTracer:
    """One that sends to a collector, in the background. Raises UserError without the extra."""
    need()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415

    at = url if url.endswith(PATH) else url.rstrip("/") + PATH
    return OtelTracer(BatchSpanProcessor(OTLPSpanExporter(endpoint=at, timeout=EXPORT_S)), role)


class OtelTracer:
    """Makes spans and hands them to a processor; see `dispatcher.runtime.traces.Tracer`."""

    def __init__(self, processor: SpanProcessor, role: str) -> None:
        from opentelemetry import trace  # noqa: PLC0415
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415

        service = os.environ.get("OTEL_SERVICE_NAME", "dispatcher")
        named = {"service.name": service, "service.version": __version__, "dispatcher.role": role}
        self._provider = TracerProvider(resource=Resource.create(named))
        self._provider.add_span_processor(processor)
        self._api, self._tracer = trace, self._provider.get_tracer("dispatcher", __version__)

    @contextlib.contextmanager
    def span(self, name: str, kind: Kind, parent: bytes, facts: Mapping[str, Fact]) -> Iterator[Span]:
        """Within the current one, or in the trace of `parent`, with a link to the current one."""
        api, current = self._api, self._api.get_current_span().get_span_context()
        context, links = None, []
        if len(parent) == SIZE and (before := self._context(parent)).trace_id != current.trace_id:
            context = api.set_span_in_context(api.NonRecordingSpan(before))
            links = [api.Link(current)] if current.is_valid else []
        with self._tracer.start_as_current_span(
            name,
            context=context,
            kind=api.SpanKind[kind.upper()],
            attributes=_named(facts),
            links=links,
            record_exception=False,
            set_status_on_exception=False,
        ) as made:
            shown = _Made(made)
            try:
                yield shown
            except Exception as error:
                shown.fail(type(error).__name__)
                raise

    def carried(self) -> bytes:
        """The current span; b"" outside of one."""
        found = self._api.get_current_span().get_span_context()
        if not found.is_valid:
            return b""
        return (
            found.trace_id.to_bytes(16, "big") + found.span_id.to_bytes(8, "big") + bytes([found.trace_flags])
        )

    def close(self) -> None:
        """Send what is left, for a while; blocks."""
        self._provider.force_flush(FLUSH_MS)
        self._provider.shutdown()

    def _context(self, carried: bytes) -> SpanContext:
        trace_id, span_id = int.from_bytes(carried[:16], "big"), int.from_bytes(carried[16:24], "big")
        found: SpanContext = self._api.SpanContext(
            trace_id, span_id, is_remote=True, trace_flags=self._api.TraceFlags(carried[24])
        )
        return found


class _Made:
    def __init__(self, made: trace.Span) -> None:
        self._made = made

    def note(self, **facts: Fact) -> None:
        self._made.set_attributes(_named(facts))

    def fail(self, why: str) -> None:
        from opentelemetry.trace import Status, StatusCode  # noqa: PLC0415

        self._made.set_status(Status(StatusCode.ERROR, why))


def _named(facts: Mapping[str, Fact]) -> dict[str, Fact]:
    return {name.replace("__", "."): value for name, value in facts.items()}
