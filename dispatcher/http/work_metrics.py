"""What is told of the work itself: measures of all processes, what falls due, how the store does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

from contracts.what_if import WhatIfState
from dispatcher.service.measures import FAMILIES, histograms
from dispatcher.store.connection import StoreError
from dispatcher.store.health import Health
from dispatcher.store.soon import Soon
from dispatcher.store.what_ifs import WhatIf


class MeasureFamilies:
    """What all processes of a market have counted, as it lies in the store."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counts: dict[str, Mapping[str, int]] = {}
        registry.register(self)

    def found(self, market: str, counts: Mapping[str, int]) -> None:
        """The counts of a market."""
        self._counts[market] = counts

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """Each family, as Prometheus reads it."""
        for each in FAMILIES:
            labels = ["market", each.label]
            if each.bounds:
                shown = HistogramMetricFamily(each.name, each.about, labels=labels)
                for market, counts in self._counts.items():
                    for value, classes, total_s in histograms(each, counts):
                        shown.add_metric([market, value], classes, total_s)
                yield shown
                continue
            told = CounterMetricFamily(each.name, each.about, labels=labels)
            for market, counts in self._counts.items():
                for value in sorted(each.values):
                    told.add_metric([market, value], counts.get(f"{each.name}:{value}", 0))
            yield told


class DueGauges:
    """What falls due, and what should have been done by now."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.expiring = Gauge(
            "dispatcher_offers_expiring",
            "Offers whose time to answer ends within a minute; of the first 1,000 requests that fall due.",
            ["market"],
            registry=registry,
        )
        self.near = Gauge(
            "dispatcher_unmatched_near_deadline",
            "Requests without a vendor whose deadline is within the hour; of the first 1,000 that fall due.",
            ["market"],
            registry=registry,
        )
        self.late = Gauge(
            "dispatcher_timer_late_seconds",
            "For how long the first timer of each kind of record has been due; 0 when none is.",
            ["market", "kind"],
            registry=registry,
        )
        self.dead = Gauge(
            "dispatcher_dead_letters", "Replies on Redis that lie aside.", ["market"], registry=registry
        )

        self.what_ifs = Gauge(
            "dispatcher_what_ifs", "What-ifs that are kept, by state.", ["market", "state"], registry=registry
        )

    def asked(self, market: str, found: Iterable[WhatIf]) -> None:
        """The what-ifs of a market."""
        counts = Counter(each.standing.state for each in found)
        for state in WhatIfState:
            self.what_ifs.labels(market, state.value).set(counts[state])

    def found(self, market: str, soon: Soon) -> None:
        """As a market is now."""
        self.expiring.labels(market).set(soon.expiring)
        self.near.labels(market).set(soon.near)

    def timers(self, market: str, first_ms: Mapping[str, int | StoreError | None], now_ms: int) -> None:
        """When the first of each kind is due; a list that cannot be read stays as it was."""
        for kind, due_ms in first_ms.items():
            if not isinstance(due_ms, StoreError):
                late_ms = 0 if due_ms is None else max(0, now_ms - due_ms)
                self.late.labels(market, kind).set(late_ms / 1000)


class StoreGauges:
    """The store, as this web process sees it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.ready = Gauge("dispatcher_ready", "1: this web process takes work (/readyz).", registry=registry)
        self.durable = Gauge(
            "dispatcher_store_durable", "1: the store keeps what it acknowledges.", registry=registry
        )
        self.used = Gauge("dispatcher_store_memory_bytes", "What the store's data takes.", registry=registry)
        self.most = Gauge("dispatcher_store_memory_limit_bytes", "Its maxmemory; 0: none.", registry=registry)
        self.waiting = Gauge(
            "dispatcher_commits_waiting",
            "Commits of this web process without an answer yet.",
            registry=registry,
        )

    def silent(self) -> None:
        """It gives no answer."""
        self.ready.set(0)
        self.durable.set(0)

    def found(self, health: Health) -> None:
        """As it was asked just now."""
        self.ready.set(health.ready)
        self.durable.set(health.durable)
        if health.used_bytes:
            self.used.set(health.used_bytes)
            self.most.set(health.limit_bytes)
