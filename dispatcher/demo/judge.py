"""The audit of what is stored, as `dispatcher audit` does it, together with what the demo was told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

from dispatcher.audit.auditor import audit
from dispatcher.decisions import chains
from dispatcher.settings import Settings
from dispatcher.store.servers import servers_of

SETTLE_S = 0.5


class Verdict(NamedTuple):
    """Broken promises: requests that are gone, capacity sold twice, and findings by rule of the audit."""

    lost: int
    double_booked: int
    findings: dict[str, int]


async def judge(redis_url: str, market: str, acknowledged: Collection[str], settings: Settings) -> Verdict:
    """Survey the market; `acknowledged` are the ids that were answered 202."""
    servers = servers_of(redis_url)
    try:
        report = await audit(servers.reader, market, acknowledged, streams=True, settle_s=SETTLE_S)
        _, chained = await chains.judge(servers, market, settings)
    finally:
        await servers.aclose()
    rules = Counter(finding["rule"] for finding in [*report["findings"], *chained])
    return Verdict(rules["lost"], rules["overbooked"], dict(rules))
