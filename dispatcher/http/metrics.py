"""Metrics for Prometheus: by operation and status, never by id or caller."""

from __future__ import annotations

from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from contracts.codes import RequestState

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The web process's own metrics, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.calls = Counter(
            "dispatcher_http_calls", "Answered calls.", ["operation", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "dispatcher_http_seconds",
            "Time to answer.",
            ["operation"],
            buckets=SECONDS,
            registry=self.registry,
        )
        self.accepted = Counter(
            "dispatcher_requests_accepted", "Requests answered 202.", registry=self.registry
        )
        self.in_flight = Gauge("dispatcher_http_in_flight", "Calls under way.", registry=self.registry)
        self.streams = Gauge("dispatcher_http_streams", "Open event streams.", registry=self.registry)
        self.requests = Gauge(
            "dispatcher_requests", "Requests by state.", ["market", "state"], registry=self.registry
        )
        self.replaced = Gauge(
            "dispatcher_streams_set_aside",
            "Streams that lie aside because their ids were used up.",
            ["market"],
            registry=self.registry,
        )
        self._known: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def answered(self, operation: str, status: int, seconds: float) -> None:
        """One call was answered."""
        found = self._known.get((operation, status))
        if found is None:
            found = self.calls.labels(operation, str(status)), self.seconds.labels(operation)
            self._known[operation, status] = found
        found[0].inc()
        found[1].observe(seconds)

    def counted(self, market: str, counts: Mapping[RequestState, int]) -> None:
        """How many requests of a market are in each state."""
        for state, count in counts.items():
            self.requests.labels(market, state.value).set(count)

    def page(self) -> bytes:
        """All metrics as OpenMetrics text."""
        page: bytes = generate_latest(self.registry)  # type: ignore[no-untyped-call]
        return page
