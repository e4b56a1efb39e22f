"""What `bench scale` sees: processor time by process, what the store holds and is told; a row of it."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from dispatcher.store.connection import Reader, connect

PARTS = ("web", "matcher", "solvers", "jobs", "store")
STREAM = b"stream"


class Store:
    """The server, asked for what it counts."""

    def __init__(self, url: str) -> None:
        self.client = connect(url)
        self.reader = Reader(self.client)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *ended: object) -> None:
        await self.client.aclose()

    async def seen(self) -> dict[str, int]:
        """Memory used, commands and bytes so far."""
        memory, counted = await self.reader.ask("INFO", "memory"), await self.reader.ask("INFO", "stats")
        return {
            "memory": int(memory["used_memory"]),
            "commands": int(counted["total_commands_processed"]),
            "in_bytes": int(counted["total_net_input_bytes"]),
            "out_bytes": int(counted["total_net_output_bytes"]),
        }

    async def waiting(self, markets: Sequence[str]) -> int:
        """Requests that have no offer yet: what was not heard, and does not wait, was matched."""
        lists = (f"dispatch:{{{each}}}:i:{state}" for each in markets for state in ("received", "matching"))
        return sum([int(await self.client.zcard(each)) for each in lists])

    async def streams(self, markets: Sequence[str]) -> int:
        """Bytes of all streams of these markets: events, matches, what vendors read."""
        total = 0
        for market in markets:
            for key in await self.client.keys(f"dispatch:{{{market}}}:*"):
                if await self.client.type(key) == STREAM:
                    total += int(await self.client.memory_usage(key, samples=0) or 0)
        return total


def machine_cpu_s() -> float:
    """What all processes of this machine have used (Linux)."""
    fields = Path("/proc/stat").read_text(encoding="ascii").partition("\n")[0].split()
    return sum(int(fields[at]) for at in (1, 2, 3, 6, 7)) / os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """What a process has used, to the nanosecond: `clock_getcpuclockid(3)`; 0 if it has ended (Linux)."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError:
        return 0.0


def tree_cpu_s(pid: int) -> tuple[float, float]:
    """What a process has used, and all below it, those that have ended too (Linux)."""
    below, parents = {pid}, dict[int, tuple[int, float]]()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (
                (folder / "stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            )
        except OSError:  # it has ended since it was listed
            continue
        ended = sum(map(int, fields[13:15])) / os.sysconf("SC_CLK_TCK")
        parents[int(folder.name)] = (int(fields[1]), ended)
    for _ in range(4):  # a solver is below a fork server below the matcher
        below |= {each for each, (parent, _) in parents.items() if parent in below}
    return cpu_s(pid), parents[pid][1] + sum(parents[each][1] + cpu_s(each) for each in below - {pid})


def spent(
    told: Sequence[Mapping[str, Any]],
    quiet: Mapping[str, Any],
    busy: Mapping[str, Any],
    *,
    empty: Mapping[str, int],
    after: Mapping[str, int],
    streams: int,
    saved: int,
) -> dict[str, Any]:
    """One row: of so many markets."""
    markets = len(told)
    requests, matched = (sum(each[name] for each in told) for name in ("requests", "matched"))
    took_s = max(each["ended"] for each in told) - min(each["began"] for each in told)
    taken_s = max(each["taken"] for each in told) - min(each["began"] for each in told)
    idle = {name: quiet[f"{name}_cpu_s"] / quiet["seconds"] / markets for name in PARTS}
    # what markets cost that nobody asks anything is no cost of a request, however long these take here
    net_s = {name: max(0.0, busy[f"{name}_cpu_s"] - idle[name] * markets * busy["seconds"]) for name in PARTS}
    return {
        "markets": markets,
        "requests": requests,
        "lost": requests - matched,
        "refused": sum(each["refused"] for each in told),
        "taken_per_s": round(requests / taken_s, 1),
        "matched_per_s": round(requests / took_s, 1),
        "matched_per_core_s": round(requests / sum(net_s.values()), 1),
        **{f"{name}_cpu_ms": round(1_000 * value / requests, 3) for name, value in net_s.items()},
        "net_cpu_s": round(sum(net_s.values()), 2),
        **_used(busy, sum(each["cpu_s"] for each in told), requests),
        "store_bytes_a_request": round((after["memory"] - empty["memory"]) / requests),
        "stream_bytes_a_request": round(streams / requests),
        "commands_a_request": round(busy["commands"] / requests, 1),
        "in_bytes_a_request": round(busy["in_bytes"] / requests),
        "out_bytes_a_request": round(busy["out_bytes"] / requests),
        "saved_bytes_a_request": round(saved / requests),
        **_empty(quiet, idle, markets),
    }


def _used(busy: Mapping[str, Any], generated_s: float, requests: int) -> dict[str, float]:
    """Of the machine: by the service, by what sends to it, by others."""
    used_s = sum(busy[f"{name}_cpu_s"] for name in PARTS)
    others_s = max(0.0, busy["machine_cpu_s"] - used_s - generated_s)
    return {
        "generator_cpu_ms": round(1_000 * generated_s / requests, 3),
        "busy_cpu_s": round(used_s, 2),
        "cores_used": round((used_s + generated_s) / busy["seconds"], 2),
        "cores_of_others": round(others_s / busy["seconds"], 2),
    }


def _empty(quiet: Mapping[str, Any], idle: Mapping[str, float], markets: int) -> dict[str, float]:
    """What a market takes that nobody asks anything, a second."""
    market_s = quiet["seconds"] * markets
    return {
        "idle_commands_a_market_s": round(quiet["commands"] / market_s, 1),
        "idle_bytes_a_market_s": round((quiet["in_bytes"] + quiet["out_bytes"]) / market_s),
        "idle_cpu_share_a_market": round(sum(idle.values()), 4),
        "idle_store_cpu_share_a_market": round(idle["store"], 4),
    }
