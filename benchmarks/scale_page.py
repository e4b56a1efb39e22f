"""The tables of docs/scale.md, from the figures of `bench scale`.

`python -m benchmarks.scale_page clock.json full.json docs/scale.md` fills them in: requests by the clock, and
as fast as they are answered (`--rate 0`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

MEASURED: Final = {
    "requests": "requests",
    "rate": "a second and market (0: as fast as they are answered)",
    "taken_per_s": "taken a second (wall)",
    "matched_per_s": "matched a second (wall)",
    "matched_per_core_s": "matched a core-second",
    "web_cpu_ms": "web, CPU ms a request",
    "matcher_cpu_ms": "matcher, CPU ms",
    "solvers_cpu_ms": "solvers, CPU ms",
    "jobs_cpu_ms": "jobs, CPU ms",
    "store_cpu_ms": "Valkey, CPU ms",
    "generator_cpu_ms": "not counted: the generator, CPU ms",
    "cores_used": "cores that all of it used, the generators too",
    "cores_of_others": "cores that others on the machine used",
    "store_bytes_a_request": "Valkey, bytes a request, streams and all",
    "stream_bytes_a_request": "of these, streams (events, matches, vendors')",
    "commands_a_request": "commands to Valkey a request",
    "in_bytes_a_request": "bytes to Valkey a request",
    "out_bytes_a_request": "bytes from Valkey a request",
    "idle_cpu_share_a_market": "an empty market: share of a core",
    "idle_commands_a_market_s": "an empty market: commands a second",
}


def measured(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was seen, a column for each number of markets."""
    told = [("markets", "markets"), *MEASURED.items()]
    lines = [f"| {name} | {' | '.join(str(row[key]) for row in rows)} |" for key, name in told]
    return [lines[0], "|" + "---|" * (len(rows) + 1), *lines[1:]]


def scaling(rows: Sequence[Mapping[str, Any]], fit: Mapping[str, float]) -> list[str]:
    """The line, and what a core-second matches of what it does with the fewest markets."""
    line = f"Processor time = {fit['fixed_cpu_s']} s + {fit['cpu_s_a_market']} s × markets"
    told = ", ".join(f"{name}: {each:.0%}" for name, each in shares(rows).items())
    return [f"{line} explains {fit['explained']:.1%}. Of one market's matches a core-second: {told}."]


def shares(rows: Sequence[Mapping[str, Any]]) -> dict[int, float]:
    """By number of markets: matches a core-second, of those of the fewest markets."""
    return {each["markets"]: each["matched_per_core_s"] / rows[0]["matched_per_core_s"] for each in rows[1:]}


def full(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """When no cores are left: the service's cost beside the generator's, whose work is the same."""
    first = rows[0]
    lines = ["| markets | matched a core-second, of one market's | the generators' CPU a request, of one's |"]
    lines += ["|---|---|---|"]
    for each, share in zip(rows[1:], shares(rows).values(), strict=True):
        beside = each["generator_cpu_ms"] / first["generator_cpu_ms"]
        lines.append(f"| {each['markets']} | {share:.0%} | {beside:.0%} |")
    return lines


def worked_out(night: Mapping[str, Any]) -> list[str]:
    """The night on paper."""
    cores = {name: night[f"{name}_cores"] for name in ("web", "matcher", "jobs", "solver", "store")}
    told = {
        "intake at its peak": f"{night['peak_per_s']:g} a second",
        "web": f"{cores['web']} cores, {max(2, night['web_processes'])} processes (two at least)",
        "matchers": f"{cores['matcher']} cores",
        "jobs": f"{cores['jobs']} cores",
        "solvers": f"{cores['solver']} cores",
        "Valkey": f"{cores['store']} cores with replicas; {night['primaries']} primaries (three at least)",
        "data, all requests open at once": f"{night['store_data_gb']} GB",
        "memory, replicas and room for rewrites included": f"{night['store_memory_gb']} GB",
        "of it, streams": f"{night['stream_gb']} GB until they are trimmed",
        "traffic of the store at the peak": f"{night['store_traffic_mb_per_s_at_peak']} MB a second",
        "to workers, if there are any": f"{night['broker_mb_a_market']} MB a market and night, compressed",
        "machines": f"{night['machines']}, of {night['assumed']['cores_a_machine']} cores and "
        f"{night['assumed']['memory_a_machine_gb']:g} GB",
    }
    return ["| | |", "|---|---|", *(f"| {name} | {value} |" for name, value in told.items())]


def filled(page: str, parts: Mapping[str, Sequence[str]]) -> str:
    """The page with each part between its marks. Raises ValueError where a mark is missing."""
    for name, lines in parts.items():
        begin, end = f"<!-- {name} -->\n", "<!-- end -->"
        before, rest = page.split(begin)
        _, after = rest.split(end, 1)
        page = before + begin + "\n".join(lines) + "\n" + end + after
    return page


def main() -> None:
    """Fill the page in its place."""
    clock, crowded = (json.loads(Path(each).read_text(encoding="utf-8")) for each in sys.argv[1:3])
    rows, fit, page = clock["rows"], clock["fit"], Path(sys.argv[3])
    parts = {"measured": measured(rows), "line": scaling(rows, fit), "full": full(crowded["rows"])}
    parts |= {"night": worked_out(clock["night"])}
    page.write_text(filled(page.read_text(encoding="utf-8"), parts), encoding="utf-8")


if __name__ == "__main__":
    main()
