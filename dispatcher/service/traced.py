"""The span of a command: in the trace of the request that it is about, whoever gives it and whenever."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from typing import Any

from dispatcher.domain.commands.table import Command
from dispatcher.domain.compact import Record
from dispatcher.runtime import traces
from dispatcher.runtime.traces import NOTHING, Span

_OFF = nullcontext((NOTHING,))


def commands(
    market: str, by: str, decided_on: Sequence[tuple[Command, Record | None]]
) -> AbstractContextManager[Sequence[Span]]:
    """One span for each, all at once: they are committed together."""
    return _commands(market, by, decided_on) if traces.on() else _OFF


@contextmanager
def _commands(
    market: str, by: str, decided_on: Sequence[tuple[Command, Record | None]]
) -> Iterator[Sequence[Span]]:
    with ExitStack() as stack:
        yield [stack.enter_context(_one(market, by, *each)) for each in decided_on]


def _one(market: str, by: str, command: Command, record: Record | None) -> Any:
    trace: bytes = getattr(record, "trace", b"")
    facts = {"dispatcher__market": market, "dispatcher__by": by, "dispatcher__subject": command.subject}
    return traces.about(type(command).__name__, trace, **facts)
