"""A vendor's people get into their page of a service that runs here, and out of it: asked for as ops."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from client.errors import ClientError, Problem
from client.ops import OpsClient
from contracts.codes import Role
from contracts.vendor_sign_ins import NewSignInLink, SignInLink
from dispatcher.runtime.errors import UserError
from dispatcher.security.key_files import ensure_token_keys, read_token_keys
from dispatcher.security.tokens import claims, mint
from dispatcher.serve.whereabouts import address, moment
from dispatcher.settings import Settings

Answer = TypeVar("Answer")


async def vendor_entrance(
    settings: Settings, market: str, vendor_id: str, asked: NewSignInLink, *, url: str = ""
) -> SignInLink:
    """The link. Raises UserError: no service, no such vendor, keys that cannot sign."""
    return await as_ops(
        settings,
        market,
        "vendor-link",
        lambda ops: ops.sign_in_link(vendor_id, asked.subject, hours=asked.hours, minutes=asked.minutes),
        url=url,
    )


async def as_ops(
    settings: Settings,
    market: str,
    command: str,
    act: Callable[[OpsClient], Awaitable[Answer]],
    *,
    url: str = "",
) -> Answer:
    """What the service answers to ops, by a token for this command. Raises UserError as above."""
    url = url or address(settings)
    if settings.token_keys is None:
        ensure_token_keys(settings.token_keys_file)
    keys, now = read_token_keys(settings.token_keys_file), moment(settings)
    made = claims(Role.OPS, markets=[market], now_ms=now.now_ms, hours=now.hours(1.0), subject=command)
    try:
        async with OpsClient(url, mint(keys, made), market) as ops:
            return await act(ops)
    except Problem as refusal:
        what, _, remedy = refusal.detail.partition("\n")
        raise UserError(f"{what}.", remedy) from refusal
    except ClientError as error:
        raise UserError(f"the service at {url} does not answer.", "Maybe it is not running.") from error
