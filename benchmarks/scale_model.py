"""What the figures of `bench scale` make of a night of many markets: arithmetic over named assumptions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

#: What a night is taken to be; each is in the answer, so that nobody has to guess it.
ASSUMED = {
    "peak_over_mean": 3.0,  # the busiest minutes of intake, over the mean of its hours
    "use": 0.6,  # of a core, at that peak: the rest is for what fails
    "cores_a_machine": 8,
    "memory_a_machine_gb": 32.0,
    "copies": 2,  # of each market's data: a primary and its replica
    "memory_over_data": 1.6,  # fragments, and what a rewrite of the append-only file copies meanwhile
    "store_cores_a_primary": 1.0,  # one thread runs commands
    "solve_budget_s": 60.0,  # wall time of a market's solves after the last request
    "solve_cores_a_market": 2.0,
    "decide_within_s": 900.0,  # after the last request every market is decided
}


def fitted(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """By least squares: processor time = what is there anyway + what each market adds; figures a request as
    the mean over rows, weighed by their requests."""
    markets = np.array([row["markets"] for row in rows], float)
    weights = np.array([row["requests"] for row in rows], float)
    cpu_s = np.array([row["net_cpu_s"] for row in rows], float)
    fixed_s, slope_s = (0.0, float((cpu_s / markets).mean()))
    if len(rows) > 1:
        slope_s, fixed_s = map(float, np.polyfit(markets, cpu_s, 1))
    straight = cpu_s - (fixed_s + slope_s * markets)
    spread = float(((cpu_s - cpu_s.mean()) ** 2).sum())
    means = {
        name: float(np.average([row[name] for row in rows], weights=weights))
        for name in rows[0]
        if name.endswith(("_cpu_ms", "_a_request", "_a_market", "_a_market_s"))
    }
    first = rows[0]["net_cpu_s"] / rows[0]["markets"]
    return {
        "fixed_cpu_s": round(fixed_s, 3),
        "cpu_s_a_market": round(slope_s, 3),
        "explained": round(1 - float((straight**2).sum()) / spread, 4) if spread else 1.0,
        "weak_scaling": round(first / (rows[-1]["net_cpu_s"] / rows[-1]["markets"]), 3),
        **{name: round(value, 4) for name, value in means.items()},
    }


def _solving(markets: int) -> float:
    """Cores that work on solves all the time that these may take."""
    a = ASSUMED
    return markets * a["solve_budget_s"] * a["solve_cores_a_market"] / a["decide_within_s"]


def night(fit: Mapping[str, float], markets: int, requests: int, hours: float) -> dict[str, Any]:
    """What so many markets and requests take: cores and machines, memory and traffic of the stores."""
    a = ASSUMED
    peak_per_s = requests / (3_600 * hours) * a["peak_over_mean"]

    def cores(part: str) -> float:
        return peak_per_s * fit[f"{part}_cpu_ms"] / 1_000 / a["use"]

    store = cores("store") + markets * fit["idle_store_cpu_share_a_market"]
    data_gb = requests * fit["store_bytes_a_request"] / 1e9
    primaries = max(3, math.ceil(store / a["store_cores_a_primary"]))
    by_role = {
        "web_cores": cores("web"),
        "matcher_cores": cores("matcher") + markets * fit["idle_cpu_share_a_market"],
        "jobs_cores": cores("jobs"),
        "solver_cores": _solving(markets) / a["use"],
        "store_cores": store * a["copies"],
    }
    total = sum(by_role.values())
    memory_gb = data_gb * a["memory_over_data"] * a["copies"]
    traffic = fit["in_bytes_a_request"] + fit["out_bytes_a_request"]
    machines = max(3, math.ceil(max(total / a["cores_a_machine"], memory_gb / a["memory_a_machine_gb"])))
    return {
        "markets": markets,
        "requests": requests,
        "hours": hours,
        "peak_per_s": round(peak_per_s, 1),
        **{name: round(value, 1) for name, value in by_role.items()},
        "machines": machines,
        "primaries": primaries,
        "web_processes": math.ceil(by_role["web_cores"] * a["use"] / 0.8),
        "store_data_gb": round(data_gb, 2),
        "store_memory_gb": round(memory_gb, 2),
        "store_traffic_mb_per_s_at_peak": round(
            (peak_per_s * traffic + markets * fit["idle_bytes_a_market_s"]) / 1e6, 2
        ),
        "stream_gb": round(requests * fit["stream_bytes_a_request"] / 1e9, 2),
        "broker_mb_a_market": round(requests / markets * fit["saved_bytes_a_request"] / 1e6, 2),
        "assumed": ASSUMED,
    }
