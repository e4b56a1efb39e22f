"""Survey and judgement together. A market at work changes while it is read: only what lasts is a finding."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

from dispatcher.audit import judge as judgement
from dispatcher.domain.refusals import Unavailable
from dispatcher.runtime.errors import UserError
from dispatcher.security.rings import Ring
from dispatcher.store.connection import Reader
from dispatcher.store.survey import Survey, survey

LOOKS = 5


async def audit(
    reader: Reader,
    market: str,
    acknowledged: Collection[str] = (),
    *,
    streams: bool = False,
    settle_s: float = 0,
    ring: Ring | None = None,
) -> dict[str, Any]:
    """What was looked at, and `findings` that were there at each of up to LOOKS looks, `settle_s` apart.

    `ring`: the patient keys that there are, judged where no running process says which it has. Raises
    UserError if the store does not answer.
    """
    try:
        found = await _surveyed(reader, market, ring, streams=streams)
        findings = judgement.judge(found, acknowledged)
        for _ in range(LOOKS - 1):
            if not findings:
                break
            await asyncio.sleep(settle_s)
            found = await _surveyed(reader, market, ring, streams=streams)
            findings = judgement.lasting(findings, judgement.judge(found, acknowledged))
    except Unavailable as error:
        raise UserError(
            f"market {market}: {error.detail.partition(chr(10))[0]}",
            "Maybe it is not running, or another: see --url and --data-dir.",
        ) from error
    return judgement.summary(found) | {"findings": [finding._asdict() for finding in findings]}


async def _surveyed(reader: Reader, market: str, ring: Ring | None, *, streams: bool) -> Survey:
    found = await survey(reader, market, streams=streams)
    if ring is not None and not found.rings:
        found.rings = [ring]
    return found
