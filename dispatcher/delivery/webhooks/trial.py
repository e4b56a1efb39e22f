"""What one call of a webhook came to."""

from __future__ import annotations

from typing import NamedTuple

from dispatcher.store.webhooks import Sent


class Trial(NamedTuple):
    """What a call came to. `final`: what would be sent is not there, or is none."""

    sent: Sent
    code: str
    took_ms: int
    final: bool = False
    asked_ms: int = 0
