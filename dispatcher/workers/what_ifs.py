"""What-ifs asked of workers: the task names which one, and who runs it; all else the worker reads itself."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import msgspec
import structlog

from dispatcher.what_if.child import Refused
from dispatcher.workers.broker import Ref
from dispatcher.workers.errands import Desk, NotDone
from dispatcher.workers.told import answered_of

NOTHING: Final = b"what-if"  # what is sealed into the task: that it is sealed shows from whom it is
log = structlog.get_logger()


@dataclass(frozen=True, eq=False)
class Comparing:
    """See `what_if.runner.Elsewhere`."""

    desk: Desk

    def is_there(self) -> bool:
        """Whether a worker takes what-ifs."""
        return bool(self.desk.living.workers)

    async def compared(
        self, market: str, what_if: str, runner: str, told: Callable[[float], None]
    ) -> bytes | Refused | None:
        """The answer, packed, or why there is none; None: no worker did it. Who cancels has it withdrawn."""
        most_s = self.desk.broker.kind.most_s
        until_s = time.monotonic() + most_s
        try:
            result = await self.desk.asked(
                Ref(market, what_if, runner), NOTHING, most_s, until_s=until_s, told=_heard(told)
            )
            found = answered_of(result)
        except (NotDone, msgspec.DecodeError) as why:
            log.warning("compared_here", market=market, id=what_if, reason=str(why))
            return None
        return found.answer or Refused(found.refused)


def _heard(told: Callable[[float], None]) -> Callable[[bytes], None]:
    def hear(words: bytes) -> None:
        try:
            share = float(words)
        except ValueError:
            return
        if math.isfinite(share):
            told(min(max(share, 0.0), 1.0))

    return hear
