"""The summary for people: a table to read, and the day by the hour to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from rich.console import Console, Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from contracts.request_views import RequestView
from dispatcher.demo.story import KEPT
from dispatcher.demo.summary import Summary
from simulation.day import Day, instant, wanted_ms

BAR_CHARS = 48


def show(console: Console, summary: Summary, day: Day, views: Mapping[str, RequestView]) -> None:
    """Print everything."""
    console.print()
    tables = Table.grid(padding=(0, 3))
    tables.add_row(_counts(summary), _figures(summary))
    console.print(tables)
    console.print(_story(summary))
    console.print(_by_hour(day, views))
    console.print(_verdict(summary))


def _counts(summary: Summary) -> RenderableType:
    table = _table("what became of the requests")
    why = f"{summary.refused} refused: {summary.refusals[0]}" if summary.refused else ""
    table.add_row("requests", f"{summary.requests:,}", why)
    table.add_row("matched", f"{summary.matched:,}", f"{summary.matched_share:.1%}")
    for name in ("completed", "no_show", "failed", "under_way"):
        if number := getattr(summary, name):
            table.add_row(f"  {name.replace('_', '-')}", f"{number:,}", "")
    table.add_row("unmatched", f"{sum(summary.unmatched.values()):,}", "")
    for why, number in sorted(summary.unmatched.items(), key=lambda item: -item[1]):
        table.add_row(f"  {why.replace('_', ' ')}", f"{number:,}", "")
    table.add_row("cancelled", f"{summary.cancelled:,}", "")
    if summary.open:
        table.add_row("still open", f"{summary.open:,}", "")
    return table


def _figures(summary: Summary) -> RenderableType:
    table = _table("offers and measures")
    for name in ("declined", "expired", "turned_back", "withdrawn", "rematched", "lost", "double_booked"):
        table.add_row(name.replace("_", " "), f"{getattr(summary, name):,}", "")
    table.add_row("offers a request", _figure(summary.offers_per_request, ""), "")
    table.add_row("to an acceptance", _figure(summary.acceptance_p50_s, "s"), "")
    modes = ", ".join(f"{number:,} {mode}" for mode, number in summary.by_mode.items() if number)
    table.add_row("offered first", f"{sum(summary.by_mode.values()):,}", modes)
    table.add_row("broadcasts taken", f"{summary.broadcast_races:,}", "")
    if summary.counter_offers:
        table.add_row("counter-offers", f"{summary.counter_offers:,}", f"{summary.counters_taken:,} taken")
    table.add_row("proofs missing", f"{summary.proofs_missing:,}", "")
    if summary.webhooks_delivered or summary.webhooks_failed:
        table.add_row(
            "webhook events", f"{summary.webhooks_delivered:,}", f"{summary.webhooks_failed:,} failed"
        )
    table.add_row("first match", _figure(summary.first_match_s, "s"), "")
    table.add_row(
        "202 answered", _figure(summary.submit_p50_ms, "ms"), f"p99 {_figure(summary.submit_p99_ms, 'ms')}"
    )
    table.add_row(
        "202 → vendor has it",
        _figure(summary.offer_p50_ms, "ms"),
        f"p99 {_figure(summary.offer_p99_ms, 'ms')}",
    )
    if summary.imminent_waited:
        table.add_row("  waited for room", f"{summary.imminent_waited:,}", "imminent, full vendors first")
    table.add_row(
        "web process", _figure(summary.web_rss_idle_mb, "MB"), f"busy {_figure(summary.web_rss_mb, 'MB')}"
    )
    table.add_row("environment on disk", _figure(summary.environment_mb, "MB"), "")
    all_told, messages = summary.redis_bytes_per_open_request, summary.redis_message_bytes_per_open_request
    stored = None if all_told is None or messages is None else all_told - messages
    table.add_row("Redis, an open request", _figure(stored, "B"), f"messages so far {_figure(messages, 'B')}")
    table.add_row("the whole run", _figure(summary.wall_s, "s"), f"{summary.speed:,.0f}× real time")
    return table


def _story(summary: Summary) -> RenderableType:
    """What belongs together, and what is left to people."""
    table = _table("episodes and people")
    if summary.episodes:
        pairs = f"of {summary.sequence_pairs:,} pairs; {summary.sequence_broken} broken"
        pairs += f", {summary.released} let go" if summary.released else ""
        pairs += f"; {summary.put_off} put off" if summary.put_off else ""
        share = "–" if summary.in_sequence is None else f"{summary.in_sequence:.1%}"
        table.add_row("episodes", f"{summary.episodes:,}", "discharges, dialysis, days at the clinic")
        table.add_row("in sequence", share, pairs)
        table.add_row("bundles whole", f"{summary.bundles_whole:,}", f"of {summary.bundles:,}, all or none")
        table.add_row(
            "will-call on its way",
            _figure(summary.will_call_p90_min, "min"),
            f"p90 of {summary.will_calls:,} calls, by the clock of the day",
        )
        table.add_row(
            "duplicates caught", f"{summary.duplicates_caught:,}", f"of {summary.duplicates_sent:,} sent"
        )
    table.add_row("tasks open", f"{summary.tasks_open:,}", f"{summary.ownerless} without an owner")
    return table


def _by_hour(day: Day, views: Mapping[str, RequestView]) -> RenderableType:
    """One line an hour: requests wanted then, those that have a vendor in green."""
    asked: Counter[int] = Counter()
    kept: Counter[int] = Counter()
    for request in day.requests:
        hour = instant(wanted_ms(request), day.tz).hour
        asked[hour] += 1
        kept[hour] += request.id in views and views[request.id].state in KEPT
    scale = BAR_CHARS / max(asked.values())
    lines = [Text("requests by the hour they are wanted: with a vendor, without", style="bold")]
    for hour in range(min(asked), max(asked) + 1):
        with_vendor, without = round(kept[hour] * scale), round((asked[hour] - kept[hour]) * scale)
        lines.append(
            Text.assemble(
                f"{hour:02d}  ",
                ("█" * with_vendor, "green"),
                ("░" * without, "red"),
                f" {kept[hour]}/{asked[hour]}",
            )
        )
    return Group(*lines)


def has_failed(summary: Summary) -> bool:
    """Whether the service broke a promise; who begins too early although told to wait is no fault of its."""
    return bool(summary.lost or summary.audit or summary.ownerless)


def _verdict(summary: Summary) -> RenderableType:
    bad = has_failed(summary)
    words = [
        f"{summary.lost} lost, {summary.double_booked} booked twice; {sum(summary.audit.values())} findings "
        "of the audit, which knows the ids of all that was answered 202.",
        f"The day allows at most {summary.possible.requests:,} of "
        f"{summary.requests + summary.refused:,} requests ({summary.possible.how}); "
        f"{summary.matched:,} have a vendor, {summary.matched_of_possible:.1%} of that.",
    ]
    return Panel(Text("\n".join(words)), style="red" if bad else "green")


def _table(title: str) -> Table:
    table = Table(title=title, title_justify="left", box=None, show_header=False)
    table.add_column()
    table.add_column(justify="right", style="bold")
    table.add_column(style="dim")
    return table


def _figure(value: float | None, unit: str) -> str:
    return "–" if value is None else f"{value:,.6g} {unit}"
