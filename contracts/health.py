"""Whether the service takes work."""

from __future__ import annotations

import msgspec


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the service can take work, and why not.

    `markets`: those of which a part fails now and is tried again, each with the part and the kind of failure;
    and those of which something stored cannot be read and is passed over (`set_aside`): how many of a kind.
    The others are not concerned.
    """

    ready: bool
    durable: bool = False
    reasons: tuple[str, ...] = ()
    markets: dict[str, dict[str, str]] = {}
