"""The tables of docs/operations.md that are made from the code: every metric, and every setting."""

from __future__ import annotations

from collections.abc import Iterator

from contracts.health import Routing
from dispatcher.http.metrics import Metrics
from dispatcher.settings import described

METRICS_HEAD = "| metric | kind | what it says |\n|---|---|---|"
SETTINGS_HEAD = "| setting | default | what it is |\n|---|---|---|"
OWN = "dispatcher_"  # the others are every process's: `process_…`


def operations_page(before: str) -> str:
    """docs/operations.md with both tables made anew; the rest is written by hand."""
    page = _with_table(before, METRICS_HEAD, metric_rows())
    return _with_table(page, SETTINGS_HEAD, setting_rows())


def metric_rows() -> list[str]:
    """One a metric, by name; a counter as it is told."""
    return [f"| `{name}` | {kind} | {about} |" for name, kind, about in sorted(_metrics())]


def setting_rows() -> list[str]:
    """One a setting, in the order of `--help`."""
    return [
        f"| `{name}` | {f'`{default}`' if default else ''} | {about} |"
        for name, default, about in described()
    ]


def _metrics() -> Iterator[tuple[str, str, str]]:
    """All that `/metrics` may tell, of a service with a routing server, too."""
    metrics = Metrics()
    metrics.routing.found(Routing(server="osrm", answers=True), {}, {})
    for each in metrics.registry.collect():
        if each.name.startswith(OWN):
            yield each.name + ("_total" if each.type == "counter" else ""), each.type, each.documentation


def _with_table(page: str, head: str, rows: list[str]) -> str:
    first, found, rest = page.partition(head)
    if not found:
        raise ValueError(
            f"the page has no table that begins {head.partition(chr(10))[0]!r}\nMaybe it was reworded."
        )
    _, _, after = rest.partition("\n\n")
    return "\n".join([first + head, *rows]) + "\n\n" + after
