"""A call that is a command: under its Idempotency-Key, if it has one, it has one effect."""

from __future__ import annotations

from typing import Any

from dispatcher.domain.commands.table import Command
from dispatcher.http.call import Call
from dispatcher.http.if_match import IfMatch
from dispatcher.http.parts import Parts
from dispatcher.http.versions import refuse_stale
from dispatcher.service.execute import Prepare
from dispatcher.service.loading import Look


async def execute(
    call: Call, parts: Parts, command: Command, prepare: Prepare | None = None, look: Look | None = None
) -> Any:
    """The record after. The key is the caller's own for this command on this subject.

    With If-Match it has its effect on a version that is named, or none: Stale.
    """
    prepare = prepare if call.if_match is None else _only_if(call.if_match, prepare)
    key = call.idempotency(f"{type(command).__name__}/{command.named}")
    return await parts.service.execute(call.principal, call.market, command, key, prepare=prepare, look=look)


def _only_if(wanted: IfMatch, prepare: Prepare | None) -> Prepare:
    """What stands is looked at each time that the command is decided on."""

    async def checked(record: Any, command: Command) -> Command:
        refuse_stale(wanted, record.version if record is not None else 0)
        return command if prepare is None else await prepare(record, command)

    return checked
