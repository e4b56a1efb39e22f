"""What a vendor signs its replies with: a key of its own, made from the ring and stored nowhere.

A signature is worth nothing but the reply it was made for: it is a JWT (HS256) that repeats the event. What
lies in the store's files, and so in backups, opens no door.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from contracts.events import CloudEvent
from contracts.problems import Unauthenticated
from contracts.reply_claims import AUDIENCE, claims_of
from dispatcher.security.vault import Vault

ALGORITHM = "HS256"
REMEMBERED = 4_096
SKEW_S = 60  # by so much another's clock may be ahead


class ReplyKeys:
    """The keys of all vendors: from the ring's current key to give away, from any of them to check with."""

    def __init__(self, vault: Vault) -> None:
        self.vault = vault
        self._ring = vault.ring
        self._keys = lru_cache(REMEMBERED)(self._made)

    def current(self, market: str, vendor_id: str) -> str:
        """What the vendor is given: text, whose characters are the key."""
        return self._texts(market, vendor_id)[0]

    def check(self, market: str, vendor_id: str, event: CloudEvent, now_ms: int) -> None:
        """Raises Unauthenticated unless the vendor signed this very event."""
        said = self._said(market, vendor_id, event.dispatchsignature)
        if said.get("aud") == [AUDIENCE]:  # some libraries always write a list
            said["aud"] = AUDIENCE
        self._refuse_out_of_time(said, now_ms / 1000)
        for name, value in claims_of(event).items():
            if said.get(name) != value:
                raise Unauthenticated(
                    f"the signature's `{name}` is not the event's\n"
                    f"Maybe it is another reply's: its claims repeat the event, `aud` is {AUDIENCE!r}."
                )

    @staticmethod
    def _refuse_out_of_time(said: Mapping[str, Any], now_s: float) -> None:
        """By the times that it may bear (RFC 7519); what is no time holds at none."""
        expires, begins = said.get("exp", now_s + 1), said.get("nbf", now_s)
        if not (isinstance(expires, int | float) and isinstance(begins, int | float)):
            raise Unauthenticated(
                "the signature's `exp` or `nbf` is no time\nMaybe leave it out, or send seconds since 1970."
            )
        if now_s >= expires:
            raise Unauthenticated(
                "the signature has expired\nMaybe leave `exp` out: it is good for one reply."
            )
        if now_s + SKEW_S < begins:
            raise Unauthenticated(
                "the signature holds from a later time on\nMaybe leave `nbf` out, or a clock is wrong."
            )

    def _said(self, market: str, vendor_id: str, signature: str) -> dict[str, Any]:
        if self._ring is not self.vault.ring:  # the key file was changed
            self._ring = self.vault.ring
            self._keys.cache_clear()
        for key in self._keys(market, vendor_id):
            try:
                return dict(jwt.decode(signature, key, algorithms=[ALGORITHM]).claims)
            except (JoseError, ValueError, TypeError, KeyError):  # of another key, or of none: refused below
                continue
        raise Unauthenticated(
            "the reply's signature does not hold\nMaybe the reply key is another vendor's, or an older one."
        )

    def _made(self, market: str, vendor_id: str) -> tuple[OctKey, ...]:
        return tuple(OctKey.import_key(each) for each in self._texts(market, vendor_id))

    def _texts(self, market: str, vendor_id: str) -> list[str]:
        found = self.vault.derived(f"reply key of {market}/{vendor_id}")
        return [base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in found]
