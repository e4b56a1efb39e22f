"""How a person gets into the console of a service that runs here: a one-time link, by its own clock."""

from __future__ import annotations

from collections.abc import Sequence

from contracts.codes import Role
from dispatcher.console import links
from dispatcher.security.key_files import ensure_token_keys, read_token_keys
from dispatcher.security.tokens import claims
from dispatcher.serve.whereabouts import address, moment
from dispatcher.settings import Settings


def entrance(
    settings: Settings,
    *,
    roles: Sequence[Role] = (Role.OPS,),
    markets: Sequence[str] = (),
    hours: float = 12.0,
    subject: str = "",
    url: str = "",
) -> str:
    """A link that opens a session of so many hours of the person who looks, once.
    Raises UserError: no service, keys that cannot sign."""
    if settings.token_keys is None:
        ensure_token_keys(settings.token_keys_file)
    keys, now = read_token_keys(settings.token_keys_file), moment(settings)
    session = claims(
        *roles,
        markets=list(markets or settings.markets),
        now_ms=now.now_ms,
        hours=now.hours(hours),
        subject=subject,
    )
    code = links.code(keys, session, now.now_ms, speed=now.speed)
    return links.link(url or address(settings), code)
