"""A call that is a command: under its Idempotency-Key, if it has one, it has one effect."""

from __future__ import annotations

from typing import Any

from dispatcher.domain.commands.table import Command
from dispatcher.http.call import Call
from dispatcher.http.parts import Parts
from dispatcher.service.execute import Prepare


async def execute(call: Call, parts: Parts, command: Command, prepare: Prepare | None = None) -> Any:
    """The record after. The key is the caller's own for this command on this subject."""
    key = call.idempotency(f"{type(command).__name__}/{command.named}")
    return await parts.service.execute(call.principal, call.market, command, key, prepare=prepare)
