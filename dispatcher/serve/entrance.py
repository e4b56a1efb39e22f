"""How a person gets into the console of a service that runs here: a one-time link, by its own clock."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.codes import Role
from dispatcher.console import links
from dispatcher.runtime.clock import make_clock
from dispatcher.runtime.errors import UserError
from dispatcher.security.key_files import ensure_token_keys, read_token_keys
from dispatcher.security.tokens import claims
from dispatcher.settings import Settings


def entrance(
    settings: Settings,
    *,
    roles: Sequence[Role] = (Role.OPS,),
    markets: Sequence[str] = (),
    hours: float = 12.0,
    subject: str = "",
    url: str = "",
    speed: float | None = None,
) -> str:
    """A link that opens a session of so many hours, once. `speed`: how fast the clock runs from now on, where
    that is not as the settings have it. Raises UserError: the keys cannot sign."""
    if settings.token_keys is None:
        ensure_token_keys(settings.token_keys_file)
    keys, now_ms = read_token_keys(settings.token_keys_file), make_clock(*settings.clock).now_ms()
    speed = max(1.0, speed or settings.clock_speed)  # so many hours of the person who looks, not of the clock
    session = claims(
        *roles, markets=list(markets or settings.markets), now_ms=now_ms, hours=hours * speed, subject=subject
    )
    code = links.code(keys, session, now_ms, speed=speed)
    return links.link(url or address(settings), code)


def address(settings: Settings) -> str:
    """Where the service of this data folder answers. Raises UserError."""
    try:
        return settings.address_file.read_text().strip()
    except OSError:
        raise UserError(
            f"no service of {settings.data_dir} is running: it would have left its address there.",
            "Maybe start it with `serve`, or name its folder: DISPATCHER_DATA_DIR.",
        ) from None
