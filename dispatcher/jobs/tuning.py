"""What changes a market's tuning by itself: the calendar's profiles. Any number may; one commit wins."""

from __future__ import annotations

import asyncio

import structlog

from dispatcher.domain.refusals import Stale, Unreadable
from dispatcher.runtime.cancellation import cancel_requested
from dispatcher.service.service import Service

LOOK_S, LOOK_CLOCK_S, LEAST_S = 2.0, 15.0, 1.5  # real; by the clock, which may run faster; and no more often
log = structlog.get_logger()


async def keep_tuning(service: Service, market: str) -> None:
    """For ever, until cancelled; what cannot be read is told as such. Raises Unavailable."""
    while not cancel_requested():
        try:
            if await service.tuning_profiles.apply_due(market):
                log.info("profile_begun", market=market)
            if (ended := await service.tuning_canary.judge(market)) is not None:
                log.warning("canary_ended", market=market, state=ended.value)
        except Stale:
            log.info("tuning_moved_on", market=market)  # somebody was quicker: the next look sees it
        except Unreadable as refusal:
            log.warning("tuning_not_kept", market=market, reason=refusal.reason)
        await asyncio.sleep(max(LEAST_S, min(LOOK_S, service.clock.real_s(LOOK_CLOCK_S))))
