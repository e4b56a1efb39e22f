"""What a handler gets and gives: a call, authenticated, decoded and in bounds; a message as its reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from aiohttp import web

from dispatcher.http.if_match import IfMatch
from dispatcher.security.principal import Principal
from dispatcher.store.idempotency import IdempotencyRecord


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call. `body` is None when the operation takes none; `raw` serves what is not a plain answer."""

    principal: Principal
    path: Mapping[str, Any]
    query: Any = None
    body: Any = None
    key: str = ""
    if_match: IfMatch | None = None
    after: str = ""
    call_id: str = ""
    raw: web.Request

    @property
    def market(self) -> str:
        """The market in the path."""
        return str(self.path["market"])

    def idempotency(self, scope: str, content: bytes | None = None) -> IdempotencyRecord | None:
        """The Idempotency-Key as a command of this caller; None without one. `content` must not differ."""
        if not self.key:
            return None
        caller = f"{scope}/{self.principal.caller}"
        body = msgspec.msgpack.encode(self.body) if content is None else content
        return IdempotencyRecord.of(caller, self.key, body)


class Reply(msgspec.Struct, frozen=True):
    """A message with its status; headers by name."""

    message: Any
    status: int = 200
    headers: Mapping[str, str] = {}
