"""How far this machine's clock is from the store's: leases go by that one, offers and timers by ours."""

from __future__ import annotations

from typing import Final

from dispatcher.runtime.clock import unix_s
from dispatcher.store.connection import Reader

MOST_S: Final = 10  #: machines whose clocks are set by the network differ by milliseconds


class Skew:
    """Of one process. `ahead_s`: below 0 it is behind; 0 as long as it is no more than MOST_S either way."""

    def __init__(self) -> None:
        self.ahead_s = 0

    def is_wrong(self) -> bool:
        """Whether others should do what goes by the time: offers of ours would end too late or too soon."""
        return bool(self.ahead_s)

    async def look(self, reader: Reader) -> int:
        """Ask the store what time it is; a slow answer is no wrong clock. Raises Unavailable."""
        before_s = unix_s()
        told_s = int((await reader.ask("TIME"))[0])
        ahead_s = max(before_s - told_s, 0) or min(unix_s() - told_s, 0)
        self.ahead_s = ahead_s if abs(ahead_s) > MOST_S else 0
        return self.ahead_s
