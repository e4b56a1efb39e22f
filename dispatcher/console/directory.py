"""Whose people may sign in to the console, as the settings say."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dispatcher.runtime.clock import Clock
from dispatcher.runtime.errors import UserError
from dispatcher.security.tokens import mint
from dispatcher.settings import Settings

if TYPE_CHECKING:  # slow to load, and needed where there is one
    from dispatcher.console.oidc import Directory


def directory_of(settings: Settings, keys: Mapping[str, Any], clock: Clock) -> Directory | None:
    """Whose people may sign in to the console; None: nobody's but who has a token. Raises UserError."""
    if settings.oidc_issuer is None:
        return None
    from dispatcher.console.oidc import Directory  # noqa: PLC0415 - slow, and needed where there is one

    if not settings.oidc_client_id or not settings.oidc_roles:
        raise UserError(
            "DISPATCHER_OIDC_ISSUER is set, and OIDC_CLIENT_ID or OIDC_ROLES is not: nobody could sign in.",
            "Set both; for example DISPATCHER_OIDC_ROLES=dispatchers=ops,nurses=coordinator@metro",
        )
    mint(keys, {})  # raises UserError where no key can sign: sessions are tokens of this service
    return Directory(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        secret=_secret(settings.oidc_client_secret_file),
        roles=settings.oidc_roles,
        claim=settings.oidc_claim,
        public_url=settings.public_url or "",
        markets=tuple(settings.markets),
        keys=keys,
        clock=clock,
    )


def _secret(path: Path | None) -> str:
    try:
        return path.read_text().strip() if path else ""
    except OSError as error:
        raise UserError(
            f"DISPATCHER_OIDC_CLIENT_SECRET_FILE is {path}, and it cannot be read: {error.strerror}.",
            "Maybe its name, or its rights.",
        ) from None
