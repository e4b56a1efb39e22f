"""A tracer whose spans stay in memory, for as long as a test looks at them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from dispatcher.runtime import traces
from dispatcher.runtime.otel import OtelTracer


class Spans:
    """Those that have ended, in their order."""

    def __init__(self, exporter: InMemorySpanExporter) -> None:
        self._exporter = exporter

    @property
    def finished(self) -> Sequence[ReadableSpan]:
        return self._exporter.get_finished_spans()

    @property
    def names(self) -> list[str]:
        return [each.name for each in self.finished]

    def named(self, name: str) -> ReadableSpan:
        """The only one of that name."""
        (found,) = (each for each in self.finished if each.name == name)
        return found


@contextlib.contextmanager
def tracing() -> Iterator[Spans]:
    exporter = InMemorySpanExporter()
    traces.install(OtelTracer(SimpleSpanProcessor(exporter), "test"))
    try:
        yield Spans(exporter)
    finally:
        traces.install(None)
