"""Whether the service takes work."""

from __future__ import annotations

import msgspec


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the service can take work, and why not."""

    ready: bool
    durable: bool = False
    reasons: tuple[str, ...] = ()
