"""Metrics for Prometheus: by operation and status, never by id or caller."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import ClassVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST, generate_latest

from contracts.codes import RequestState
from contracts.health import Matching, Routing
from contracts.tasks import OwnerRole
from dispatcher.http.work_metrics import DueGauges, MeasureFamilies, StoreGauges
from dispatcher.store.tasks import Backlog

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
CONTENT_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The web process's own metrics, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        counter, gauge = partial(Counter, registry=self.registry), partial(Gauge, registry=self.registry)
        ProcessCollector(registry=self.registry)
        self.calls = counter("dispatcher_http_calls", "Answered calls.", ["operation", "status"])
        histogram = partial(Histogram, registry=self.registry, buckets=SECONDS)
        self.seconds = histogram("dispatcher_http_seconds", "Time to answer.", ["operation"])
        self.accepted = counter("dispatcher_requests_accepted", "Requests answered 202.")
        self.duplicates = counter(
            "dispatcher_possible_duplicates",
            "Requests refused because the same patient has the like already.",
        )
        self.in_flight = gauge("dispatcher_http_in_flight", "Calls under way.")
        self.waiting = gauge("dispatcher_http_waiting", "Calls that wait, unread.")
        self.refused = counter("dispatcher_http_refused", "Calls refused unread.", ["lane", "status"])
        self.streams = gauge("dispatcher_http_streams", "Open event streams.")
        self.requests = gauge("dispatcher_requests", "Requests by state.", ["market", "state"])
        self.will_calls = gauge("dispatcher_will_calls", "Will-calls that nobody has called yet.", ["market"])
        self.reply_streams = counter(
            "dispatcher_reply_streams_made_anew",
            "Reply streams set aside: their vendor had used up the entry ids.",
            ["market"],
        )
        self.tasks = TaskGauges(self.registry)
        self.troubles, self.matching = TroubleCounts(self.registry), MatchingGauges(self.registry)
        self.routing = RoutingCounts(self.registry)
        self.replaced = gauge(
            "dispatcher_streams_set_aside",
            "Streams that lie aside because their ids were used up.",
            ["market"],
        )
        self.wrong_clocks = gauge(
            "dispatcher_wrong_clocks",
            "Processes whose clock is more than 10 s from that of the market's server.",
            ["market"],
        )
        self.measures, self.due = MeasureFamilies(self.registry), DueGauges(self.registry)
        self.store = StoreGauges(self.registry)
        self._known: dict[tuple[str, int], tuple[Counter, Histogram]] = {}

    def answered(self, operation: str, status: int, seconds: float) -> None:
        """One call was answered."""
        found = self._known.get((operation, status))
        if found is None:
            found = self.calls.labels(operation, str(status)), self.seconds.labels(operation)
            self._known[operation, status] = found
        found[0].inc()
        found[1].observe(seconds)

    def refused_unread(self, lane: str, status: int) -> None:
        """One call was refused before it was read."""
        self.refused.labels(lane, str(status)).inc()

    def counted(self, market: str, counts: Mapping[RequestState, int]) -> None:
        """How many requests of a market are in each state."""
        for state, count in counts.items():
            self.requests.labels(market, state.value).set(count)

    def made_anew(self, market: str) -> None:
        """A vendor's reply stream took no more entries."""
        self.reply_streams.labels(market).inc()

    def page(self) -> bytes:
        """All metrics as OpenMetrics text."""
        page: bytes = generate_latest(self.registry)  # type: ignore[no-untyped-call]
        return page


class TaskGauges:
    """What people have to do, by owner: how much, how much of it is late, how late the first of it is."""

    def __init__(self, registry: CollectorRegistry) -> None:
        by_owner = ["market", "owner"]
        self.tasks = Gauge(
            "dispatcher_tasks", "Tasks that are not done.", [*by_owner, "state"], registry=registry
        )
        self.overdue = Gauge(
            "dispatcher_tasks_overdue", "Of these, past their due time.", by_owner, registry=registry
        )
        self.oldest = Gauge(
            "dispatcher_tasks_oldest_seconds",
            "For how long the first of them has been due; 0 when none is.",
            by_owner,
            registry=registry,
        )

    def found(self, market: str, backlogs: Mapping[OwnerRole, Backlog], now_ms: int) -> None:
        """As a market is now."""
        for owner, each in backlogs.items():
            for state, count in each.by_state.items():
                self.tasks.labels(market, owner.value, state.value).set(count)
            late_ms = now_ms - each.first_due_ms if each.overdue else 0
            self.overdue.labels(market, owner.value).set(each.overdue)
            self.oldest.labels(market, owner.value).set(max(0, late_ms) / 1000)


class TroubleCounts:
    """What every process has counted in the store: items that could not be read, failures of loops."""

    FAMILIES: ClassVar[Mapping[str, tuple[str, str, str]]] = {  # first word: name, what it counts, its label
        "unreadable": (
            "dispatcher_unreadable",
            "Stored items that could not be read, or not be planned.",
            "kind",
        ),
        "notification": ("dispatcher_notifications", "Notifications, by how they ended.", "outcome"),
        "webhook": ("dispatcher_webhook_calls", "Calls of webhooks, by how they ended.", "outcome"),
        "decision": ("dispatcher_decisions", "Plans, by whether they could be saved.", "outcome"),
        "failed": ("dispatcher_loop_failures", "Failures of a market's loops.", "loop"),
    }

    def __init__(self, registry: CollectorRegistry) -> None:
        self._counts: dict[str, Mapping[str, int]] = {}
        registry.register(self)

    def found(self, market: str, counts: Mapping[str, int]) -> None:
        """The counts of a market, `<first word>:<label>`."""
        self._counts[market] = counts

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Each family, as Prometheus reads it."""
        for word, (name, about, label) in self.FAMILIES.items():
            family = CounterMetricFamily(name, about, labels=["market", label])
            for market, counts in self._counts.items():
                for what, count in counts.items():
                    first, _, value = what.partition(":")
                    if first == word:
                        family.add_metric([market, value], count)
            yield family


class MatchingGauges:
    """How the matching of each market goes. What is not known is left out, never told as 0."""

    FAMILIES: ClassVar[Mapping[str, tuple[str, str]]] = {  # field of Matching: name, what it says
        "held_s": ("dispatcher_matcher_held_seconds", "Since the matcher took the market that has it now."),
        "batch_age_s": ("dispatcher_matcher_batch_age_seconds", "Since the last batch ended."),
        "waiting": ("dispatcher_waiting_requests", "Requests that wait for a vendor."),
        "oldest_s": ("dispatcher_waiting_oldest_seconds", "For how long the first of them has waited."),
        "workers": ("dispatcher_workers", "Workers on other machines that solve its batches."),
        "workers_busy": ("dispatcher_workers_busy", "Those of them that have a task."),
        "tasks_waiting": ("dispatcher_worker_tasks_waiting", "Solves that no worker has taken yet."),
        "oldest_task_s": ("dispatcher_worker_tasks_oldest_seconds", "For how long the first of them waits."),
    }

    def __init__(self, registry: CollectorRegistry) -> None:
        self._found: dict[str, Matching] = {}
        registry.register(self)

    def found(self, market: str, matching: Matching) -> None:
        """As a market is now."""
        self._found[market] = matching

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Each family, and whether a matcher has the market."""
        held = GaugeMetricFamily("dispatcher_matcher_held", "1: a matcher has the market.", labels=["market"])
        for market, each in self._found.items():
            held.add_metric([market], each.held_s is not None)
        yield held
        for field, (name, about) in self.FAMILIES.items():
            family = GaugeMetricFamily(name, about, labels=["market"])
            for market, each in self._found.items():
                if (value := getattr(each, field)) is not None:
                    family.add_metric([market], value)
            yield family


class RoutingCounts:
    """How this process's routing server does; nothing where there is none."""

    FAMILIES: ClassVar[Mapping[str, tuple[str, str]]] = {  # field of Routing: name, what it says
        "answers": ("dispatcher_travel_server_answers", "1: the routing server answered when last asked."),
        "pairs": ("dispatcher_travel_known_pairs", "Pairs of points of which something is known."),
        "waiting": ("dispatcher_travel_wanted_pairs", "Pairs of points that are to be asked for."),
    }

    def __init__(self, registry: CollectorRegistry) -> None:
        self._found: Routing | None = None
        self._pairs: Mapping[str, int] = {}
        self._calls: Mapping[str, int] = {}
        registry.register(self)

    def found(self, routing: Routing, pairs: Mapping[str, int], calls: Mapping[str, int]) -> None:
        """As it is now; pairs by what answered, calls by what became of them."""
        self._found, self._pairs, self._calls = routing, pairs, calls

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Each family, as Prometheus reads it."""
        if self._found is None:
            return
        for field, (name, about) in self.FAMILIES.items():
            if (value := getattr(self._found, field)) is not None:
                yield GaugeMetricFamily(name, about, value=float(value))
        for name, about, label, counts in (
            ("dispatcher_travel_pairs", "Rides looked up, by what answered.", "answer", self._pairs),
            ("dispatcher_travel_calls", "Calls of the routing server.", "outcome", self._calls),
        ):
            family = CounterMetricFamily(name, about, labels=[label])
            for value, count in counts.items():
                family.add_metric([value], count)
            yield family
