"""Somebody says why a request ended without its service."""

from __future__ import annotations

from contracts.barriers import BarrierCode
from dispatcher.domain.commands.subjects import OnRequest
from dispatcher.domain.commands.table import REQUEST, decides
from dispatcher.domain.context import Context
from dispatcher.domain.decision import Decision
from dispatcher.domain.follow_barriers import recorded
from dispatcher.domain.requests import RequestRecord
from dispatcher.domain.rights import READERS


class RecordBarrier(OnRequest, frozen=True, kw_only=True):
    """What the barrier was; `sealed` is a note, encrypted."""

    code: BarrierCode
    sealed: bytes = b""


@decides(RecordBarrier, REQUEST, roles=READERS)
def record_barrier(record: RequestRecord, command: RecordBarrier, context: Context) -> Decision | None:
    """None when it was said before. Raises WrongState unless the request ended without its service."""
    return recorded(record, command.code, context, command.sealed)
